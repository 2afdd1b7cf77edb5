"""ControlPlane: what clients submit to. Unified has one dispatcher, Separate has one per service.

The same object is driven by SimPy in a simulation and by a wall clock in front of real backends: it is
told the time with every call and never asks for it.
"""

from __future__ import annotations

from simcore.control.dispatcher import Dispatch, Dispatcher
from simcore.request import Outcome, Request


class ControlPlane:
    """Routes each call to the dispatcher that has the request's service."""

    def __init__(self, dispatchers: list[Dispatcher]) -> None:
        self.dispatchers = dispatchers
        self._of = {kind: dispatcher for dispatcher in dispatchers for kind in dispatcher.lane_of}

    @property
    def waiting(self) -> int:
        """Requests that wait for a decision."""
        waiting = 0
        for dispatcher in self.dispatchers:
            waiting += dispatcher.waiting
        return waiting

    def submit(self, request: Request, now: float) -> Outcome | None:
        """Take a request in; REJECTED if admission refuses it."""
        return self._of[request.kind].submit(request, now)

    def cancelled(self, request: Request, now: float) -> None:
        """Forget a request whose client gave up, waiting or dispatched."""
        self._of[request.kind].cancelled(request, now)

    def requeued(self, request: Request, now: float) -> None:
        """Let a request wait again that its backend failed before it answered anything."""
        self._of[request.kind].requeued(request, now)

    def mark(self, backend: int, healthy: bool) -> None:
        """Learn whether a backend answers; one that does not gets no dispatches until it does."""
        for dispatcher in self.dispatchers:
            dispatcher.mark(backend, healthy)

    def completed(self, request: Request, now: float) -> None:
        """Learn that a backend answered."""
        self._of[request.kind].completed(request, now)

    def next_dispatches(self, now: float) -> list[Dispatch]:
        """The decisions that can be taken now."""
        if len(self.dispatchers) == 1:
            return self.dispatchers[0].next_dispatches(now)
        return [dispatch for d in self.dispatchers for dispatch in d.next_dispatches(now)]

    def wake_at(self, now: float) -> float | None:
        """The earliest time to ask again although nothing happens until then, or None."""
        if len(self.dispatchers) == 1:
            return self.dispatchers[0].wake_at(now)
        times = [at for d in self.dispatchers if (at := d.wake_at(now)) is not None]
        return min(times, default=None)
