"""Fits: from measured points to the forms that profiles hold."""
