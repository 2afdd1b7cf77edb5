"""An event loop whose time is what it waited: a machine that stalls the process does not age its timeouts.

For tests in which clients and servers share one loop. On the wall's time a pause of the machine ends timeouts
before the answers that were due earlier are sent, and no bound is wide enough for every machine.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
TURN = 1e-5
"""Seconds of each turn of the loop: a timer that fires a rounding error early must not do so forever."""


class WaitingSelector(selectors.DefaultSelector):
    """Counts the seconds for which it waited, each time hardly more than it was asked to."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        begun = time.monotonic()
        ready = super().select(timeout)
        passed = time.monotonic() - begun
        self.waited += TURN + (passed if timeout is None else min(passed, max(timeout, 0.0)))
        return ready


class SteadyLoop(asyncio.SelectorEventLoop):
    """Time all but stands still while anything is worked on."""

    def __init__(self) -> None:
        self._waiting = WaitingSelector()
        super().__init__(self._waiting)

    def time(self) -> float:
        return self._waiting.waited

    def stall(self, seconds: float) -> None:
        self._waiting.waited += seconds


def run_steadily(work: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` on a steady loop."""
    with asyncio.Runner(loop_factory=SteadyLoop) as runner:
        return runner.run(work)


def stall(seconds: float) -> None:
    """Let the running loop, which is a steady one, be late by that much."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SteadyLoop)
    loop.stall(seconds)
