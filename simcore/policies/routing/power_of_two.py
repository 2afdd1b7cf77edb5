"""Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 2001."""

from __future__ import annotations

from simcore.control.pool import BackendState
from simcore.policies.base import PolicySettings, Routing
from simcore.policies.routing.choice import index_of
from simcore.request import Request

BLOCK = 1024
"""Pairs drawn at a time: one numpy call a request would cost more than the rest of the choice."""


class PowerOfTwo(Routing):
    """Of two distinct backends drawn at random the one with fewer visible requests, the first of equals.

    If neither accepts, the least loaded. O(1) as long as one does.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._pairs: list[tuple[int, int]] = []

    def choose(self, request: Request, now: float) -> int | None:
        pool = self.settings.pool
        drawn = self._draw() if len(pool.backends) > 1 else ()
        accepting = [backend for backend in drawn if backend.accepting]
        if not accepting:
            return index_of(pool.least_loaded())
        return min(accepting, key=lambda backend: backend.visible_in_flight).index

    def _draw(self) -> tuple[BackendState, BackendState]:
        backends, rng = self.settings.pool.backends, self.settings.rng
        if not self._pairs:
            first = rng.integers(len(backends), size=BLOCK)
            second = (first + rng.integers(1, len(backends), size=BLOCK)) % len(backends)
            self._pairs = list(zip(first.tolist(), second.tolist(), strict=True))
        one, other = self._pairs.pop()
        return backends[one], backends[other]
