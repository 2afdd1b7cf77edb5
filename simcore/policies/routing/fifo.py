"""SAGE's ``fifo``: the lowest load."""

from __future__ import annotations

from simcore.policies.routing.least_outstanding import LeastOutstanding


class SageFifo(LeastOutstanding):
    """SAGE's load is active / max with one max for all, so the lowest is the least outstanding."""
