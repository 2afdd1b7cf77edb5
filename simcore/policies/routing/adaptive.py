"""SAGE's ``adaptive``: routes as the policy that its rule names."""

from __future__ import annotations

from simcore.policies.base import PolicySettings, Routing
from simcore.policies.routing.cost_optimized import SageCostOptimized
from simcore.policies.routing.priority import SagePriority
from simcore.policies.routing.slo_aware import SageSloAware
from simcore.policies.urgency import adaptive_choice, is_urgent
from simcore.request import Request


class SageAdaptive(Routing):
    """As ``priority``, ``slo_aware`` or ``cost_optimized``, by ``urgency.adaptive_choice``.

    The rule asks whether an urgent request waits; the ordering of the same name lets urgent ones go first,
    so one waits exactly when the request to be routed is urgent.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._routings: dict[str, Routing] = {
            "priority": SagePriority(settings),
            "slo_aware": SageSloAware(settings),
            "cost_optimized": SageCostOptimized(settings),
        }

    def choose(self, request: Request, now: float) -> int | None:
        choice = adaptive_choice(is_urgent(request), self.settings.pool.mean_load)
        return self._routings[choice].choose(request, now)
