"""Profiles: where every service time comes from."""
