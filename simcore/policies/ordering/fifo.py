"""First come, first served: SAGE's ``fifo``."""

from __future__ import annotations

from simcore.policies.ordering.heap_ordering import HeapOrdering


class Fifo(HeapOrdering):
    """By arrival at the control plane."""
