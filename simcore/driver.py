"""Driver: SimPy's clock around the control plane, between clients and backends."""

from __future__ import annotations

from math import isnan

from simpy import Environment

from simcore.backend import Backend, BackendEvents
from simcore.clients.sender import Answered, Ended
from simcore.control.plane import ControlPlane
from simcore.control.usage import LaneUsage
from simcore.request import NEVER, SERVICE_OF, Outcome, Request, Service
from simcore.timer import after


class Driver:
    """Carries requests from clients over the control plane to backends and answers back.

    ``hop`` seconds pass on each way: client to control plane, control plane to backend, and back; a decision
    takes ``decision`` seconds.
    ``ended`` is told of each request once nothing about it changes any more.
    """

    def __init__(
        self,
        env: Environment,
        hop: float,
        counted: tuple[float, float],
        ended: Ended,
        decision: float = 0.0,
    ) -> None:
        self.env = env
        self.events = BackendEvents(self._first_token, self._finished, self.fail)
        self.usage = {service: LaneUsage(counted, decision) for service in Service}
        """What the control plane did, by service."""
        self._usage_of = {kind: self.usage[service] for kind, service in SERVICE_OF.items()}
        self._hop = hop
        self._wake = float("inf")
        self._answered: dict[Request, Answered] = {}
        self._on_way_back: set[Request] = set()
        self._ended = ended
        self._given_up: list[Request] = []
        self._plane: ControlPlane
        self._backends: list[Backend]

    def connect(self, plane: ControlPlane, backends: list[Backend]) -> None:
        """Say what the driver stands between."""
        self._plane = plane
        self._backends = backends

    def replace(self, plane: ControlPlane) -> None:
        """Let another control plane take over. What the present one holds fails: its connections break."""
        self._plane = plane
        for request in [one for one in self._answered if self._held(one)]:
            self._end(request, Outcome.FAILED, self._given_up.append)
            self._take_back(request)

    def send(self, request: Request, answered: Answered, timeout: float | None = None) -> None:
        """Let a client send ``request`` now; ``answered`` is called once it has its outcome."""
        self._answered[request] = answered
        if timeout is not None:
            after(self.env, timeout, self._give_up, request)
        after(self.env, self._hop, self._submit, request)

    @property
    def outstanding(self) -> int:
        """Requests sent that have no outcome yet."""
        return len(self._answered)

    def stop(self) -> None:
        """End all requests that still have no outcome as unfinished."""
        for request in list(self._answered):
            self._end(request, Outcome.UNFINISHED)
        for request in self._given_up:
            self._ended(request)
        self._given_up.clear()

    def _submit(self, request: Request) -> None:
        if request.outcome is not None:
            return
        now = self.env.now
        outcome = self._plane.submit(request, now)
        if outcome is not None:
            self._send_back(request, outcome)
            return
        self._usage_of[request.kind].waiting.change(1, now)
        self._pump(now)

    def _pump(self, now: float) -> None:
        plane = self._plane
        if not plane.waiting:
            return
        for dispatch in plane.next_dispatches(now):
            request = dispatch.request
            self._usage_of[request.kind].dispatched(dispatch.at, now)
            after(self.env, dispatch.at - now + self._hop, self._deliver, request)
        wake = plane.wake_at(now) if plane.waiting else None
        if wake is not None and wake < self._wake:
            self._wake = wake
            after(self.env, wake - now, self._woken)

    def _woken(self) -> None:
        self._wake = float("inf")
        self._pump(self.env.now)

    def _deliver(self, request: Request) -> None:
        if request.outcome is None:
            self._backends[request.backend].submit(request)

    def _first_token(self, request: Request, delay: float) -> None:
        if request.outcome is None:
            # Added up as an end that comes with it is, to the last bit.
            request.first_token = self.env.now + (delay + self._hop) + self._hop

    def _finished(self, request: Request, delay: float) -> None:
        if request.outcome is None:
            after(self.env, delay + self._hop, self._completed, request)

    def fail(self, request: Request) -> None:
        """Let a dispatched request end without an answer."""
        now = self.env.now
        self._plane.cancelled(request, now)
        self._send_back(request, Outcome.FAILED)
        self._pump(now)

    def requeue(self, request: Request) -> None:
        """Let a dispatched request wait again whose backend failed before it answered anything."""
        now = self.env.now
        self._plane.requeued(request, now)
        self._usage_of[request.kind].waiting.change(1, now)
        self._pump(now)

    def mark(self, backend: int, healthy: bool) -> None:
        """Learn whether a backend answers."""
        self._plane.mark(backend, healthy)
        self._pump(self.env.now)

    def _completed(self, request: Request) -> None:
        if request.outcome is not None:
            return
        now = self.env.now
        self._plane.completed(request, now)
        self._send_back(request, Outcome.COMPLETED)
        self._pump(now)

    def _send_back(self, request: Request, outcome: Outcome) -> None:
        self._on_way_back.add(request)
        after(self.env, self._hop, self._end, request, outcome)

    def _give_up(self, request: Request) -> None:
        if request.outcome is not None:
            return
        now, held = self.env.now, self._held(request)
        self._end(request, Outcome.TIMED_OUT, self._given_up.append)
        if held:
            self._take_back(request)
            self._plane.cancelled(request, now)
            self._pump(now)

    def _held(self, request: Request) -> bool:
        """Whether the control plane has it, waiting or dispatched."""
        return not isnan(request.submitted) and request not in self._on_way_back

    def _take_back(self, request: Request) -> None:
        """Let nobody wait or work any more for a request that has ended."""
        if request.backend < 0:
            self._usage_of[request.kind].waiting.change(-1, self.env.now)
        else:
            self._backends[request.backend].cancel(request)

    def _end(self, request: Request, outcome: Outcome, told: Ended | None = None) -> None:
        """``told`` hears of it instead of who is told of all that have ended.

        A backend notes what it does for a request until it learns that nobody waits any more.
        """
        if request.outcome is None:
            request.outcome = outcome
            request.finished = now = self.env.now
            if request.first_token > now:
                request.first_token = NEVER
            self._on_way_back.discard(request)
            (told or self._ended)(request)
            self._answered.pop(request)(request)
