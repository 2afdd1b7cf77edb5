"""Comparing simulated with live latency distributions."""
