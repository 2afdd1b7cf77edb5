"""The profiles that travel with simsage."""
