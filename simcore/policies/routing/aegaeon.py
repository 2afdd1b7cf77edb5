"""SAGE's ``aegaeon``, after Xiang et al., "Aegaeon: Effective GPU Pooling for Concurrent LLM Serving
on the Market", SOSP 2025.
"""

from __future__ import annotations

from simcore.control.pool import BackendState
from simcore.policies.base import PolicySettings, Routing
from simcore.policies.routing.choice import index_of, lowest
from simcore.request import Request

MAX_GROUP = 8
"""Requests that a prefill group takes in its life."""


class SageAegaeon(Routing):
    """Join the open group, else open one where the queued work, tokens / tokens per second, is least.

    A group is open until it has had 8 requests, or its backend has answered all it had. A lane serves one
    model, so one group is open at a time and no work is added for switching models; the quota of a decode
    round, which divides an instance among models, is left out for the same reason.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._backend: BackendState | None = None
        self._size = 0

    def choose(self, request: Request, now: float) -> int | None:
        if not self._is_open():
            self._backend = lowest(self.settings.pool, _queued_work)
            self._size = 0
        self._size += 1
        return index_of(self._backend)

    def _is_open(self) -> bool:
        backend = self._backend
        return backend is not None and self._size < MAX_GROUP and backend.in_flight > 0 and backend.accepting


def _queued_work(backend: BackendState) -> float:
    """Seconds that what is in flight takes at the backend's nominal speed."""
    return backend.in_flight_tokens / backend.tokens_per_second
