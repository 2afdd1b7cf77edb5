"""Open loop: work is sent at its arrival time, whatever became of the work before."""

from __future__ import annotations

from collections.abc import Iterator

from simpy import Environment

from simcore.clients.sender import Sender, Work
from simcore.request import Request
from simcore.timer import after


class OpenLoop:
    """Sends work that comes by arrival, and takes each only when the one before was sent."""

    def __init__(self, env: Environment, sender: Sender, works: Iterator[Work]) -> None:
        self._env = env
        self._sender = sender
        self._works = works
        self._next = next(works, None)
        self._send_due()

    @property
    def unsent(self) -> bool:
        """Whether work is still to be sent."""
        return self._next is not None

    def _send_due(self) -> None:
        now = self._env.now
        while (work := self._next) is not None:
            if (arrival := work.arrival) > now:
                after(self._env, arrival - now, self._send_due)
                return
            self._next = next(self._works, None)
            self._sender.send(work, _ignore)


def _ignore(request: Request) -> None:
    """Nobody waits for an open-loop answer."""
