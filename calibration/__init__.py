"""Measuring real backends and fitting profiles to what was measured."""
