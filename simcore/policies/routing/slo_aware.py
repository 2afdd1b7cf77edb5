"""SAGE's ``slo_aware``: the lowest average latency once a deadline is near, else the lowest load."""

from __future__ import annotations

from simcore.policies.base import Routing
from simcore.policies.routing.choice import index_of, quickest
from simcore.policies.urgency import urgency
from simcore.request import Request

HURRY = 0.7
"""Urgency above which latency decides."""


class SageSloAware(Routing):
    """A request that used up over 70% of its deadline goes where the average latency is lowest."""

    def choose(self, request: Request, now: float) -> int | None:
        pool = self.settings.pool
        return index_of(quickest(pool) if urgency(request, now) > HURRY else pool.least_loaded())
