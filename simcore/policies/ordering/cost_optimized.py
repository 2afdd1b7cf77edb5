"""SAGE's ``cost_optimized``: (priority, budget), where no budget is an infinite one."""

from __future__ import annotations

from math import inf

from simcore.policies.ordering.heap_ordering import HeapOrdering
from simcore.request import Request


class CostOptimized(HeapOrdering):
    """By priority, then the smaller budget, then arrival."""

    def key(self, request: Request, now: float) -> tuple[float, ...]:
        """Priority, budget in dollars, then arrival at the control plane in seconds."""
        budget = inf if request.cost_budget is None else request.cost_budget
        return (request.priority, budget, request.submitted)
