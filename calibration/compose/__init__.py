"""Profiles composed from operator tables or a device's peak figures, and a model's config.json."""
