"""Least KV: the fewest tokens in flight, as a stand-in for the KV cache that they hold."""

from __future__ import annotations

from simcore.policies.base import Routing
from simcore.policies.routing.choice import index_of, lowest
from simcore.request import Request


class LeastKv(Routing):
    """The backend with the fewest prompt and output tokens in flight, the first registered of equals."""

    def choose(self, request: Request, now: float) -> int | None:
        return index_of(lowest(self.settings.pool, lambda backend: backend.in_flight_tokens))
