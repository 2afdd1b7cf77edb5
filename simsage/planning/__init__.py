"""Capacity planning by simulation: what a cluster can take, and which cluster is the smallest."""
