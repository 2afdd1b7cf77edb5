"""SAGE's ``hybrid``: one embedding backend per batch, everything else as ``adaptive``."""

from __future__ import annotations

from simcore.control.pool import BackendState
from simcore.policies.base import PolicySettings, Routing
from simcore.policies.ordering.hybrid import MAX_TEXTS, texts_of
from simcore.policies.routing.adaptive import SageAdaptive
from simcore.policies.routing.choice import index_of, lowest
from simcore.request import Kind, Request, Service


class SageHybrid(Routing):
    """Embeddings dispatched at one moment share a backend until they are 32 texts; then another is chosen.

    SAGE batches what waits when it schedules, so a batch does not outlive the moment. All backends of a
    lane have one model, so the model never mismatches.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._adaptive = SageAdaptive(settings)
        self._backend: BackendState | None = None
        self._texts = 0
        self._opened = float("-inf")

    def choose(self, request: Request, now: float) -> int | None:
        if request.kind is not Kind.EMBEDDING:
            return self._adaptive.choose(request, now)
        texts = texts_of(request)
        if not self._takes(texts, now):
            self._backend = lowest(self.settings.pool, _preference)
            self._texts, self._opened = 0, now
        self._texts += texts
        return index_of(self._backend)

    def _takes(self, texts: int, now: float) -> bool:
        fits = now == self._opened and self._texts + texts <= MAX_TEXTS
        return fits and self._backend is not None and self._backend.accepting


def _preference(backend: BackendState) -> tuple[float, ...]:
    """SAGE's: EMBEDDING before LLM_EMBEDDING (a device shared with an LLM), embeddings in flight, load."""
    shared = any(neighbour.service is Service.LLM for neighbour in backend.neighbours)
    load = backend.load + sum(neighbour.load for neighbour in backend.neighbours)
    return (shared, backend.visible_in_flight, load)
