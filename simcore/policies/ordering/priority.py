"""SAGE's ``priority``: (priority, arrival), without ageing, quota or preemption."""

from __future__ import annotations

from simcore.policies.ordering.heap_ordering import HeapOrdering
from simcore.request import Request


class PriorityOrdering(HeapOrdering):
    """By priority, then arrival; the less urgent may starve."""

    def key(self, request: Request, now: float) -> tuple[float, ...]:
        """Priority, then arrival at the control plane in seconds."""
        return (request.priority, request.submitted)
