"""Workloads: the requests that a scenario's streams send."""
