"""Dispatcher: one queue of waiting requests and the decisions taken from it. Pure: it is told the time."""

from __future__ import annotations

from dataclasses import dataclass, field

from simcore.control.pool import BackendPool
from simcore.policies.base import Admission, Ordering, Routing
from simcore.request import NEVER, SERVICE_OF, Kind, Outcome, Request, Service


@dataclass(slots=True)
class Dispatch:
    """A decision: ``request`` goes to the backend of that index, and leaves at time ``at``."""

    request: Request
    backend: int
    at: float


@dataclass(slots=True)
class Lane:
    """The waiting requests of one service, how many they are, and the policies over them."""

    pool: BackendPool
    ordering: Ordering
    routing: Routing
    admission: Admission
    waiting: int = field(default=0, init=False)


@dataclass(slots=True)
class Dispatcher:
    """Hands waiting requests to backends, seconds throughout.

    ``period`` above 0 decides only at its multiples, as SAGE's loop does; ``decision_cost`` is what each
    decision takes of the one thread that decides; ``blocking_chat`` keeps everything waiting while a chat
    is under way, as SAGE's gateway does.
    """

    name: str
    lanes: dict[Service, Lane]
    period: float = 0.0
    decision_cost: float = 0.0
    blocking_chat: bool = False
    lane_of: dict[Kind, Lane] = field(init=False)
    waiting: int = field(default=0, init=False)
    _busy_until: float = field(default=0.0, init=False)
    _ticked: int = field(default=-1, init=False)
    _chats: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Let each kind of request have its service's lane."""
        lanes = self.lanes
        self.lane_of = {kind: lanes[service] for kind, service in SERVICE_OF.items() if service in lanes}

    def submit(self, request: Request, now: float) -> Outcome | None:
        """Take a request in; REJECTED if admission refuses it."""
        lane = self.lane_of[request.kind]
        request.submitted = now
        if not lane.admission.admits(request, lane.waiting, now):
            return Outcome.REJECTED
        self._push(lane, request, now)
        return None

    def cancelled(self, request: Request, now: float) -> None:
        """Forget a request that ends without an answer."""
        lane = self.lane_of[request.kind]
        if request.backend < 0:
            lane.ordering.discard(request)
            lane.waiting -= 1
            self.waiting -= 1
        else:
            lane.pool.release(request)
            self._chats -= request.kind is Kind.LLM_CHAT
            lane.ordering.cancelled(request, now)

    def requeued(self, request: Request, now: float) -> None:
        """Let a request wait again that its backend failed before it answered anything.

        It was admitted already, and keeps the place in the queue that it had by its time of submission.
        """
        lane = self.lane_of[request.kind]
        lane.pool.release(request)
        self._chats -= request.kind is Kind.LLM_CHAT
        request.backend = -1
        request.dispatched = NEVER
        request.generated_tokens = 0
        self._push(lane, request, now)

    def mark(self, backend: int, healthy: bool) -> None:
        """Learn whether a backend answers; one that does not gets no dispatches until it does."""
        for lane in self.lanes.values():
            if backend in lane.pool:
                lane.pool.mark(backend, healthy)

    def completed(self, request: Request, now: float) -> None:
        """Learn that a backend answered."""
        lane = self.lane_of[request.kind]
        lane.pool.complete(request, now - request.dispatched)
        self._chats -= request.kind is Kind.LLM_CHAT
        lane.ordering.completed(request, now)
        lane.routing.completed(request, now)

    def next_dispatches(self, now: float) -> list[Dispatch]:
        """The decisions that can be taken now."""
        if not self.waiting or not (self._tick(now) if self.period else now >= self._busy_until):
            return []
        decided: list[Dispatch] = []
        open_lanes = list(self.lanes.values())
        if len(open_lanes) > 1:
            open_lanes = [lane for lane in open_lanes if lane.waiting]
        while open_lanes and not (self.blocking_chat and self._chats):
            lane = open_lanes[0] if len(open_lanes) == 1 else self._first(open_lanes, now)
            dispatch = self._decide(lane, now)
            if dispatch is None:
                open_lanes.remove(lane)
                continue
            decided.append(dispatch)
            if self.decision_cost and not self.period:
                break
            if not lane.waiting:
                open_lanes.remove(lane)
        return decided

    def wake_at(self, now: float) -> float | None:
        """When to ask again although nothing happens until then, or None."""
        if not self.waiting:
            return None
        if self.period:
            return (self._ticked + 1) * self.period
        return self._busy_until if self._busy_until > now else None

    def _tick(self, now: float) -> bool:
        """Whether it is time to decide: of all that comes at the very moment, not of what came first."""
        nearest = round(now / self.period)
        on_time = abs(now - nearest * self.period) <= 1e-9 * max(1.0, now)
        self._ticked = nearest if on_time else int(now / self.period)
        return on_time

    def _push(self, lane: Lane, request: Request, now: float) -> None:
        lane.ordering.push(request, now)
        lane.waiting += 1
        self.waiting += 1

    @staticmethod
    def _first(lanes: list[Lane], now: float) -> Lane:
        return min(lanes, key=lambda lane: lane.ordering.key(lane.ordering.peek(now), now))

    def _decide(self, lane: Lane, now: float) -> Dispatch | None:
        pool = lane.pool
        if pool.stale_load:
            pool.refresh(now)
        if not pool.has_room:
            return None
        request = lane.ordering.peek(now)
        backend = lane.routing.choose(request, now)
        if backend is None:
            return None
        lane.ordering.pop(now)
        lane.waiting -= 1
        request.backend = backend
        pool.dispatch(request)
        self.waiting -= 1
        self._chats += request.kind is Kind.LLM_CHAT
        at = self._busy_until = max(now, self._busy_until) + self.decision_cost
        request.dispatched = at
        return Dispatch(request, backend, at)
