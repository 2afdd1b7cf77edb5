"""LiveDriver: the wall clock around the control plane, the twin of `simcore.driver.Driver`.

The plane is the simulator's own object. It is told the same things in the same order, only that here the
time is real, and so is what happens between two calls.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque

from simcore.control.plane import ControlPlane
from simcore.request import Outcome, Request
from validate.live.clock import Clock

NEVER_WAKE = float("inf")


class Rejected(Exception):
    """Admission refused the request; it has its outcome."""


class LiveDriver:
    """Tells the plane of requests and tells requests their backend; all from one event loop.

    Every request ends in exactly one outcome. The last ``keep`` ended ones stay in ``ended``, all if None.
    """

    def __init__(self, plane: ControlPlane, clock: Clock, keep: int | None = None) -> None:
        self.clock = clock
        self.plane = plane
        self.arrived = 0
        self.outcomes: Counter[Outcome] = Counter()
        self.ended: deque[Request] = deque(maxlen=keep)
        self._turns: dict[Request, asyncio.Future[int]] = {}
        self._wake = NEVER_WAKE
        self._timer: asyncio.TimerHandle | None = None

    @property
    def outstanding(self) -> int:
        """Requests that have no outcome yet."""
        return len(self._turns)

    def submit(self, request: Request) -> asyncio.Future[int]:
        """Hand ``request`` to the plane; the future gives its backend's index. Raises `Rejected`."""
        now = self._caught_up()
        self.arrived += 1
        self._turns[request] = turn = self._turn()
        outcome = self.plane.submit(request, now)
        if outcome is not None:
            self._settle(request, outcome)
            raise Rejected
        self._pump(now)
        return turn

    def requeue(self, request: Request) -> asyncio.Future[int]:
        """Let a dispatched request wait again whose backend failed before it answered anything."""
        now = self._caught_up()
        self._turns[request] = turn = self._turn()
        self.plane.requeued(request, now)
        self._pump(now)
        return turn

    def end(self, request: Request, outcome: Outcome) -> None:
        """The request's outcome; one that has an outcome already keeps it."""
        if request.outcome is not None:
            return
        now = self._caught_up()
        if outcome is Outcome.COMPLETED:
            self.plane.completed(request, now)
        else:
            self.plane.cancelled(request, now)
        self._settle(request, outcome)
        self._pump(now)

    def mark(self, backend: int, healthy: bool) -> None:
        """Learn whether a backend answers."""
        now = self._caught_up()
        self.plane.mark(backend, healthy)
        self._pump(now)

    def stop(self) -> None:
        """End all requests that still have no outcome as unfinished; those that wait are let go."""
        if self._timer is not None:
            self._timer.cancel()
        for request, turn in list(self._turns.items()):
            self._settle(request, Outcome.UNFINISHED)
            turn.cancel()

    def check_integrity(self) -> None:
        """Raise AssertionError unless every request that arrived is outstanding or has one outcome."""
        assert self.arrived == self.outstanding + self.outcomes.total()
        assert all(request.outcome is None for request in self._turns)
        for dispatcher in self.plane.dispatchers:
            for lane in dispatcher.lanes.values():
                lane.pool.check_integrity()

    @staticmethod
    def _turn() -> asyncio.Future[int]:
        return asyncio.get_running_loop().create_future()

    def _settle(self, request: Request, outcome: Outcome) -> None:
        request.outcome = outcome
        request.finished = self.clock.now()
        # Thousands of ended requests are remembered, each of which may have had thousands of texts.
        request.text_tokens = ()
        del self._turns[request]
        self.outcomes[outcome] += 1
        self.ended.append(request)

    def _caught_up(self) -> float:
        """The time, once the plane has had every call that it asked for until now.

        It is told the time that it asked for, not the moment, some microseconds later, at which the event
        loop got there: a dispatch period decides at its exact multiples.
        """
        now = self.clock.now()
        while self._wake <= now:
            due, self._wake = self._wake, NEVER_WAKE
            self._pump(due)
        return now

    def _pump(self, now: float) -> None:
        for dispatch in self.plane.next_dispatches(now):
            request = dispatch.request
            request.dispatched = self.clock.now()
            turn = self._turns.get(request)
            # There is none once the driver has stopped, and a client may just have hung up.
            if turn is not None and not turn.done():
                turn.set_result(dispatch.backend)
        self._ask_again(self.plane.wake_at(now))

    def _ask_again(self, wake: float | None) -> None:
        if wake is not None and wake < self._wake:
            self._wake = wake
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.clock.call_at(wake, self._woken)

    def _woken(self) -> None:
        # A timer may fire as much as the clock's resolution early; what it was set for is due all the same.
        due, self._wake = self._wake, NEVER_WAKE
        if due < NEVER_WAKE:
            self._pump(due)
