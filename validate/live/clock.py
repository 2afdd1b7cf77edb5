"""Clock: seconds since a live run began."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Clock:
    """The running event loop's monotonic time, from 0 on: the only clock that a live run reads."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.start = self._loop.time()
        """The start on the machine's monotonic clock."""

    def now(self) -> float:
        """Seconds since the start."""
        return self._loop.time() - self.start

    def on_loop(self, at: float) -> float:
        """That time as the event loop counts, which ``asyncio.timeout_at`` takes."""
        return self.start + at

    def call_at(self, at: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back at that time, at once if it is over."""
        return self._loop.call_at(self.start + at, callback)
