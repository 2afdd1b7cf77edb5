"""Legs: where the latency of a request went, phenomenon by phenomenon, live and simulated."""
