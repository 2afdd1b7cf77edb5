"""Random: how kube-proxy spreads a Service over its endpoints."""

from __future__ import annotations

from simcore.control.pool import BackendState
from simcore.policies.base import PolicySettings, Routing
from simcore.request import Request

BLOCK = 1024
"""Choices drawn at a time: one numpy call a request would cost more than all else."""


class RandomRouting(Routing):
    """Of the backends that accept one at random, each with the same chance, whatever its load.

    O(1) as long as the first one drawn accepts. Source: Kubernetes, "Virtual IPs and Service Proxies", proxy
    mode iptables, which lists the endpoints that are ready.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._drawn: list[int] = []

    def choose(self, request: Request, now: float) -> int | None:
        drawn = self._draw()
        if drawn.accepting:
            return drawn.index
        accepting = list(self.settings.pool.accepting())
        if not accepting:
            return None
        return accepting[int(self.settings.rng.integers(len(accepting)))].index

    def _draw(self) -> BackendState:
        backends = self.settings.pool.backends
        if not self._drawn:
            self._drawn = self.settings.rng.integers(len(backends), size=BLOCK).tolist()
        return backends[self._drawn.pop()]
