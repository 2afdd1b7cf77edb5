"""SAGE's ``priority``: the lowest average latency for the urgent, the lowest load for the rest."""

from __future__ import annotations

from simcore.policies.base import Routing
from simcore.policies.routing.choice import index_of, quickest
from simcore.policies.urgency import is_urgent
from simcore.request import Request


class SagePriority(Routing):
    """CRITICAL and HIGH go where the average latency is lowest, others where the load is."""

    def choose(self, request: Request, now: float) -> int | None:
        pool = self.settings.pool
        return index_of(quickest(pool) if is_urgent(request) else pool.least_loaded())
