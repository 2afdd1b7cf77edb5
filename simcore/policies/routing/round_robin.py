"""Round robin."""

from __future__ import annotations

from simcore.policies.base import PolicySettings, Routing
from simcore.request import Request


class RoundRobin(Routing):
    """Backends in turn, passing over those that do not accept."""

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._next = 0

    def choose(self, request: Request, now: float) -> int | None:
        backends = self.settings.pool.backends
        for step in range(len(backends)):
            position = (self._next + step) % len(backends)
            if backends[position].accepting:
                self._next = position + 1
                return backends[position].index
        return None
