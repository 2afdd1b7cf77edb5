"""The OpenAI-compatible HTTP server around the live control plane."""
