"""ServingQueue: a server that serves jobs one after another, first come, first served."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVarTuple, Unpack

from simpy import Environment

from simcore.timer import after

Args = TypeVarTuple("Args")


class ServingQueue:
    """Stands for a process that does one thing at a time, as an API server's event loop does.

    A job begins when it has come and the one before it is done (Lindley's recursion), so it is known at once
    when it ends: nothing is kept of those that wait.
    """

    __slots__ = ("_env", "_free_at")

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._free_at = 0.0

    def submit(self, seconds: float, callback: Callable[[Unpack[Args]], None], *args: *Args) -> None:
        """Call ``callback(*args)`` when a job of so many seconds, which comes now, has been served."""
        after(self._env, self.book(seconds), callback, *args)

    def book(self, seconds: float) -> float:
        """Take in a job of so many seconds that comes now; the seconds until it has been served."""
        now: float = self._env.now
        begins = self._free_at if self._free_at > now else now
        self._free_at = begins + seconds
        return self._free_at - now
