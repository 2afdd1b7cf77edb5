"""BackendPool: what a control plane knows of the backends of one service."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, heapreplace

from simcore.request import Request, Service

SAGE_MAX_CONCURRENT = 100
"""Requests that SAGE's instances take at most; what its policies call load is relative to it."""
EMA_ALPHA = 0.1
"""Weight of the newest latency in SAGE's moving average, which starts at 0."""


@dataclass(slots=True, eq=False)
class BackendState:
    """One backend as its control plane sees it."""

    index: int
    """Position among all backends of the cluster."""
    service: Service
    max_in_flight: int | None = None
    price_per_hour: float = 0.0
    tokens_per_second: float = 1.0
    neighbours: tuple[BackendState, ...] = ()
    """Backends on the same device, as far as this control plane sees them."""
    in_flight: int = field(default=0, init=False)
    in_flight_tokens: int = field(default=0, init=False)
    """Prompt and output tokens of the requests in flight: what they may hold of the KV cache."""
    visible_in_flight: int = field(default=0, init=False)
    """``in_flight`` as routing sees it, which may be stale."""
    average_latency: float = field(default=0.0, init=False)
    """Exponential moving average of answered requests' seconds; 0 before the first."""
    healthy: bool = field(default=True, init=False)
    """Whether it is known to answer; `BackendPool.mark` changes it."""
    accepting: bool = field(default=True, init=False)
    """Whether it may be handed another request; the pool keeps it."""
    listed: int = field(default=0, init=False)
    """The load that the pool last sorted it by, at most ``visible_in_flight``."""

    @property
    def load(self) -> float:
        """SAGE's load: requests in flight, as far as seen, over what an instance takes at most."""
        return self.visible_in_flight / SAGE_MAX_CONCURRENT


class BackendPool:
    """The backends of one service, with the least loaded one found in O(log backends), amortised.

    A backend is sorted in by a load that it has at least: one that got more work since then stays where it is
    until it is the first, and one that has less than that is sorted in again.

    ``stale_load`` is the age in seconds that the visible load may reach; 0 keeps it current.
    ``has_room`` says whether any backend accepts a request, ``in_flight`` how many requests all have.
    """

    def __init__(self, backends: list[BackendState], stale_load: float = 0.0) -> None:
        self.backends = backends
        self._by_index = {backend.index: backend for backend in backends}
        self.has_room = bool(backends)
        self.stale_load = stale_load
        self._most_entries = 64 + 8 * len(backends)
        self._seen_at = float("-inf")
        self._full = 0
        self.in_flight = 0
        self._seen_in_flight = 0
        for backend in backends:
            self._count(backend)
        self._stride = 1 + max(self._by_index, default=0)
        self._heap: list[int] = []
        """Load and index of backends as one number, which is compared sooner than a pair."""
        self._rebuild()

    @property
    def visible_in_flight(self) -> int:
        """Requests in flight as routing sees them, which may be stale."""
        return self._seen_in_flight if self.stale_load else self.in_flight

    @property
    def mean_load(self) -> float:
        """SAGE's load, averaged over the backends. O(backends)."""
        return sum(backend.load for backend in self.backends) / len(self.backends)

    def __contains__(self, index: int) -> bool:
        return index in self._by_index

    def state_of(self, index: int) -> BackendState:
        """The backend at that position of the cluster."""
        return self._by_index[index]

    def least_loaded(self) -> BackendState | None:
        """The accepting backend with the least visible load, the first registered of equals."""
        heap = self._heap
        refused = []
        chosen = None
        while heap:
            load, index = divmod(heap[0], self._stride)
            backend = self._by_index[index]
            if load != backend.listed:
                heappop(heap)
            elif load < backend.visible_in_flight:
                backend.listed = backend.visible_in_flight
                heapreplace(heap, self._entry(backend))
            elif backend.accepting:
                chosen = backend
                break
            else:
                refused.append(heappop(heap))
        for entry in refused:
            heappush(heap, entry)
        return chosen

    def accepting(self) -> list[BackendState]:
        """All backends that accept a request, in order of registration. O(backends)."""
        return [backend for backend in self.backends if backend.accepting]

    def dispatch(self, request: Request) -> None:
        """Count ``request`` as in flight on its backend."""
        backend = self._by_index[request.backend]
        self.in_flight += 1
        backend.in_flight += 1
        backend.in_flight_tokens += request.prompt_tokens + request.output_tokens
        self._changed(backend)

    def complete(self, request: Request, latency: float) -> None:
        """Count ``request`` as answered after ``latency`` seconds on its backend."""
        backend = self._by_index[request.backend]
        backend.average_latency += EMA_ALPHA * (latency - backend.average_latency)
        self.release(request)

    def release(self, request: Request) -> None:
        """Count ``request`` as no longer in flight; unless it was answered, latency learns nothing of it."""
        backend = self._by_index[request.backend]
        self.in_flight -= 1
        backend.in_flight -= 1
        backend.in_flight_tokens -= request.prompt_tokens + request.output_tokens
        self._changed(backend)

    def mark(self, index: int, healthy: bool) -> None:
        """Note whether the backend of that index answers; one that does not takes no requests. O(1)."""
        backend = self._by_index[index]
        backend.healthy = healthy
        self._count(backend)

    def refresh(self, now: float) -> None:
        """Let routing see the present load, if what it sees has reached its age."""
        if self.stale_load and now - self._seen_at >= self.stale_load:
            self._seen_at = now
            self._seen_in_flight = self.in_flight
            for backend in self.backends:
                backend.visible_in_flight = backend.in_flight
            self._rebuild()

    def check_integrity(self) -> None:
        """Raise AssertionError unless the counters agree with the backends."""
        assert all(backend.in_flight >= 0 for backend in self.backends)
        assert self.in_flight == sum(backend.in_flight for backend in self.backends)
        assert self.visible_in_flight == sum(backend.visible_in_flight for backend in self.backends)
        assert self._full == sum(not backend.accepting for backend in self.backends)
        assert self.has_room == any(backend.accepting for backend in self.backends)

    def _count(self, backend: BackendState) -> None:
        limit = backend.max_in_flight
        accepting = backend.healthy and (limit is None or backend.in_flight < limit)
        if accepting is not backend.accepting:
            backend.accepting = accepting
            self._full += 1 - 2 * accepting
            self.has_room = self._full < len(self.backends)

    def _changed(self, backend: BackendState) -> None:
        if backend.max_in_flight is not None:
            self._count(backend)
        if not self.stale_load:
            visible = backend.visible_in_flight = backend.in_flight
            if visible < backend.listed:
                self._sort_in(backend, visible)

    def _sort_in(self, backend: BackendState, load: int) -> None:
        backend.listed = load
        heappush(self._heap, self._entry(backend))
        if len(self._heap) > self._most_entries:
            self._rebuild()

    def _rebuild(self) -> None:
        for backend in self.backends:
            backend.listed = backend.visible_in_flight
        self._heap = [self._entry(backend) for backend in self.backends]
        heapify(self._heap)

    def _entry(self, backend: BackendState) -> int:
        return backend.listed * self._stride + backend.index
