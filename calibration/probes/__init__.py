"""Probes: what is asked of real backends, and the points that come of it."""
