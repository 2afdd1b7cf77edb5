"""The real backends that a scenario describes."""
