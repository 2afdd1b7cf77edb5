"""Earliest deadline first: Liu & Layland, "Scheduling Algorithms for Multiprogramming", JACM 1973."""

from __future__ import annotations

from math import inf

from simcore.policies.ordering.heap_ordering import HeapOrdering
from simcore.request import Request


class EarliestDeadline(HeapOrdering):
    """By the moment the answer is due; requests without a deadline come last, by arrival."""

    def key(self, request: Request, now: float) -> tuple[float, ...]:
        """Absolute deadline, then arrival at the control plane, both in seconds."""
        due = inf if request.deadline is None else request.arrival + request.deadline
        return (due, request.submitted)
