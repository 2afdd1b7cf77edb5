"""Ending: the time limits of all that is under way, so that a gateway can end in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

NEVER = float("inf")


class Ending:
    """Brings every time limit forward once the end has begun. Times are the event loop's."""

    def __init__(self) -> None:
        self._last = NEVER
        self._limits: set[asyncio.Timeout] = set()

    @property
    def begun(self) -> bool:
        """Whether the gateway was told to end."""
        return self._last < NEVER

    @asynccontextmanager
    async def limited(self, at: float) -> AsyncIterator[None]:
        """Time until ``at``, or until all has to end. Raises TimeoutError after it."""
        async with asyncio.timeout_at(min(at, self._last)) as limit:
            self._limits.add(limit)
            try:
                yield
            finally:
                self._limits.discard(limit)

    def begin(self, last: float) -> None:
        """What is under way may go on until then."""
        self._last = last
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(min(last, limit.when() or last))
