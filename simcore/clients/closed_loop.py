"""Closed loop: users who think, ask, wait for the answer, and think again."""

from __future__ import annotations

from simpy import Environment

from simcore.clients.sender import Sender
from simcore.request import Kind, Request
from simcore.timer import after
from simcore.workload.closed_loop import ClosedLoopUser


class ClosedLoopClient:
    """Lets one user go on until ``duration``, seconds; after that no new request is sent."""

    def __init__(self, env: Environment, sender: Sender, user: ClosedLoopUser, duration: float) -> None:
        self._env = env
        self._sender = sender
        self._user = user
        self._duration = duration
        self._think()

    def _think(self) -> None:
        pause = self._user.think()
        if self._env.now + pause < self._duration:
            after(self._env, pause, self._ask)

    def _ask(self) -> None:
        request = self._user.next_request(self._env.now)
        work = self._user.plan(request) if request.kind is Kind.PIPELINE else request
        self._sender.send(work, self._answered)

    def _answered(self, request: Request) -> None:
        self._think()
