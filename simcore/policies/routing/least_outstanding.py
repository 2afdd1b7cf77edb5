"""Least outstanding requests, also called least connections or join the shortest queue."""

from __future__ import annotations

from simcore.policies.base import Routing
from simcore.policies.routing.choice import index_of
from simcore.request import Request


class LeastOutstanding(Routing):
    """The backend with the fewest visible requests in flight, the first registered of equals."""

    def choose(self, request: Request, now: float) -> int | None:
        return index_of(self.settings.pool.least_loaded())
