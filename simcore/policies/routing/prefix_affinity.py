"""Prefix affinity: Mirrokni, Thorup & Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018."""

from __future__ import annotations

from math import ceil
from zlib import crc32

from simcore.control.pool import BackendState
from simcore.policies.base import Routing
from simcore.policies.routing.choice import index_of
from simcore.request import Request

BALANCE = 1.25
"""The paper's c: a backend takes its group's requests up to this multiple of the mean load."""


class PrefixAffinity(Routing):
    """Requests that share a prefix go to one home backend, where its KV blocks are cached.

    If home does not accept, or would have more than c times the mean in flight, the least loaded takes it
    instead of the paper's next one on the ring. Requests that share nothing go to the least loaded. The
    hash is CRC-32, the same on every machine and in every run.
    """

    def choose(self, request: Request, now: float) -> int | None:
        if request.prefix_group >= 0:
            home = self._home(request.prefix_group)
            if home.accepting and home.visible_in_flight < self._bound():
                return home.index
        return index_of(self.settings.pool.least_loaded())

    def _home(self, group: int) -> BackendState:
        backends = self.settings.pool.backends
        return backends[crc32(group.to_bytes(8, "little")) % len(backends)]

    def _bound(self) -> int:
        """The paper's capacity of a backend, the new request counted in."""
        pool = self.settings.pool
        return ceil(BALANCE * (1 + pool.visible_in_flight) / len(pool.backends))
