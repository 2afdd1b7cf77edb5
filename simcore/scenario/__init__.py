"""Scenarios: what is simulated, as a YAML file says it."""
