"""Closed loop: users who think, ask, wait for the answer, and think again."""

from __future__ import annotations

from simpy import Environment

from simcore.clients.sender import Sender
from simcore.errors import BadInput, Fault
from simcore.request import Kind, Request
from simcore.timer import Timer, after
from simcore.workload.closed_loop import ClosedLoopUser

MOST_AT_ONCE = 10_000
"""Requests of one user at one moment; one who asks more often then would ask for ever."""


class ClosedLoopClient:
    """Lets one user go on until ``duration``, seconds; after that no new request is sent.

    Raises BadInput for a user whose thinking and whose answers take no time, so that time stands still, and
    for one who asks when ``max_requests`` were sent.
    """

    def __init__(
        self, env: Environment, sender: Sender, user: ClosedLoopUser, duration: float, max_requests: int
    ) -> None:
        self._env = env
        self._sender = sender
        self._user = user
        self._duration = duration
        self._max_requests = max_requests
        self._asked_at = -1.0
        self._at_once = 0
        self._think()

    def _think(self) -> None:
        pause = self._user.think()
        if self._env.now + pause >= self._duration:
            return
        if self._asked_at < self._env.now + pause:
            after(self._env, pause, self._ask)
        else:
            self._ask_again_at_once()

    def _ask_again_at_once(self) -> None:
        self._at_once += 1
        if self._at_once > MOST_AT_ONCE:
            found = f"a user of stream {self._user.name!r} who asks without end at {self._env.now:g} s"
            allowed = "a think time above 0 where answers or refusals take no time"
            raise _fault(f"streams.{self._user.name}.arrivals", found, allowed)
        Timer(self._env, 0.0, self._ask)

    def _ask(self) -> None:
        if self._asked_at < self._env.now:
            self._asked_at, self._at_once = self._env.now, 0
        if self._sender.sent >= self._max_requests:
            found = f"a user of stream {self._user.name!r} who asks for one more at {self._env.now:g} s"
            raise _fault("max_requests", found, f"at most max_requests = {self._max_requests:,}")
        request = self._user.next_request(self._env.now)
        work = self._user.plan(request) if request.kind is Kind.PIPELINE else request
        self._sender.send(work, self._answered)

    def _answered(self, request: Request) -> None:
        self._think()


def _fault(key: str, found: str, allowed: str) -> BadInput:
    return BadInput([Fault("scenario", 0, key, found, allowed)])
