"""SAGE's ``adaptive``, its default: ``priority``, ``slo_aware`` or ``cost_optimized``, as the moment asks."""

from __future__ import annotations

from simcore.policies.base import Ordering, PolicySettings
from simcore.policies.ordering.cost_optimized import CostOptimized
from simcore.policies.ordering.priority import PriorityOrdering
from simcore.policies.ordering.slo_aware import SloAware
from simcore.policies.urgency import adaptive_choice, is_urgent, urgency
from simcore.request import Priority, Request


class Adaptive(Ordering):
    """Every request waits in all three orderings, and the one that the rule names at ``now`` gives the next.

    O(log waiting + distinct deadlines + backends). The rule is ``urgency.adaptive_choice``.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._by_priority = PriorityOrdering(settings)
        self._orderings: dict[str, Ordering] = {
            "priority": self._by_priority,
            "slo_aware": SloAware(settings),
            "cost_optimized": CostOptimized(settings),
        }

    def push(self, request: Request, now: float) -> None:
        for ordering in self._orderings.values():
            ordering.push(request, now)

    def peek(self, now: float) -> Request:
        urgent = is_urgent(self._by_priority.peek(now))
        return self._orderings[adaptive_choice(urgent, self.settings.pool.mean_load)].peek(now)

    def pop(self, now: float) -> Request:
        request = self.peek(now)
        self.discard(request)
        return request

    def discard(self, request: Request) -> None:
        for ordering in self._orderings.values():
            ordering.discard(request)

    def __len__(self) -> int:
        return len(self._by_priority)

    def key(self, request: Request, now: float) -> tuple[float, ...]:
        """Lanes may follow different policies: urgent heads by priority, then the others by urgency."""
        if is_urgent(request):
            return (request.priority, 0.0, request.submitted)
        return (Priority.NORMAL, -urgency(request, now), request.submitted)
