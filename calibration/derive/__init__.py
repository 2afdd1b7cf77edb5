"""Profiles derived from published measurements, or estimated."""
