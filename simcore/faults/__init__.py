"""Faults: backends that crash, hang, slow down or cannot be reached, and what the control plane does then."""
