"""device_aware: the backend whose device has the fewest tokens in flight, co-located backends counted in.

What a unified control plane can do and a separate one cannot: it sees the LLM and the embedding server on
one device together. Where it sees no neighbours this is `least_kv`.
"""

from __future__ import annotations

from simcore.control.pool import BackendState
from simcore.policies.base import Routing
from simcore.policies.routing.choice import index_of, lowest
from simcore.request import Request


class DeviceAware(Routing):
    """O(backends) a request; ties go to the first registered."""

    def choose(self, request: Request, now: float) -> int | None:
        """Index of the accepting backend on the least loaded device."""
        return index_of(lowest(self.settings.pool, tokens_on_device))


def tokens_on_device(backend: BackendState) -> int:
    """Tokens in flight on the backend and on those it shares its device with."""
    return backend.in_flight_tokens + sum(other.in_flight_tokens for other in backend.neighbours)
