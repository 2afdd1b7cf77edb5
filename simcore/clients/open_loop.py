"""Open loop: work is sent at its arrival time, whatever became of the work before."""

from __future__ import annotations

from simpy import Environment

from simcore.clients.sender import Sender, Work
from simcore.request import Request
from simcore.timer import after
from simcore.workload.pipeline import PipelinePlan


def arrival_of(work: Work) -> float:
    """When its client means to send it."""
    return work.request.arrival if isinstance(work, PipelinePlan) else work.arrival


class OpenLoop:
    """Sends prepared work, sorted by arrival; only the next one is in the event queue."""

    def __init__(self, env: Environment, sender: Sender, works: list[Work]) -> None:
        self._env = env
        self._sender = sender
        self._works = works
        self._next = 0
        self._send_due()

    @property
    def unsent(self) -> int:
        """Work that is still to be sent."""
        return len(self._works) - self._next

    def _send_due(self) -> None:
        now, works = self._env.now, self._works
        while self._next < len(works):
            work = works[self._next]
            if (arrival := arrival_of(work)) > now:
                after(self._env, arrival - now, self._send_due)
                return
            self._next += 1
            self._sender.send(work, _ignore)


def _ignore(request: Request) -> None:
    """Nobody waits for an open-loop answer."""
