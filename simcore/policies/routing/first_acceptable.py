"""First acceptable: where SAGE's prefill/decode routing, on by default, sends every request."""

from __future__ import annotations

from simcore.policies.base import Routing
from simcore.policies.routing.choice import index_of
from simcore.request import Request


class FirstAcceptable(Routing):
    """The first registered backend that accepts."""

    def choose(self, request: Request, now: float) -> int | None:
        return index_of(next((b for b in self.settings.pool.backends if b.accepting), None))
