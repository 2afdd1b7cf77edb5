"""Connections: those that clients hold, never more than there are file descriptors for."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

SPARE = 48
"""File descriptors for what else is opened: logs, health checks, connections on their way out."""
EACH = 3
"""File descriptors of a connection: its own, its backend's, and one that waits to be used again."""
JUST_COME, JUST_ASKED = 0.2, 2.0
"""Seconds within which a client that connects has usually sent its request, and one that asks its next."""
LEAST, MOST = 8, 1 << 16


class Closing(Protocol):
    """A connection, as far as it is looked at here."""

    def force_close(self) -> None:
        """Close it now."""


class Connections:
    """At most ``limit`` at once: for one more, that which has waited longest for a request is closed.

    Those that have never asked anything go first, so that idle clients keep nobody out, and nobody's
    connection between two requests is lost to them; but who has only just come is still waited for, as long
    as there is another. ``tell`` is told once that the limit was reached.
    """

    def __init__(self, limit: int, tell: Callable[[str], None]) -> None:
        self._limit = limit
        self._tell = tell
        self._told = False
        self._all: set[Closing] = set()
        self._new: dict[Closing, float] = {}
        self._idle: dict[Closing, float] = {}

    def __len__(self) -> int:
        return len(self._all)

    def admits(self, connection: Closing) -> bool:
        """Take one more, if there is room for it or can be made."""
        while len(self._all) >= self._limit and (longest := self._longest()):
            self.leave(longest)
            longest.force_close()
            self._full()
        if len(self._all) >= self._limit:
            self._full()
            return False
        self._all.add(connection)
        self._new[connection] = _now()
        return True

    def busy(self, connection: Closing) -> None:
        """A request of its is being answered."""
        self._new.pop(connection, None)
        self._idle.pop(connection, None)

    def idle(self, connection: Closing) -> None:
        """It waits for its next request."""
        if connection in self._all:
            self._idle[connection] = _now()

    def leave(self, connection: Closing) -> None:
        """It has gone."""
        self._new.pop(connection, None)
        self._all.discard(connection)
        self._idle.pop(connection, None)

    def _longest(self) -> Closing | None:
        """The connection to close, if any waits."""
        for waiting, patience in ((self._new, JUST_COME), (self._idle, JUST_ASKED)):
            first = next(iter(waiting), None)
            if first is not None and waiting[first] < _now() - patience:
                return first
        return next(iter(self._new or self._idle), None)

    def _full(self) -> None:
        if not self._told:
            self._told = True
            self._tell(
                f"{self._limit} connections, the most that the limit on open files leaves room for:"
                " for each new one the longest idle is closed from now on"
            )


def _now() -> float:
    return asyncio.get_running_loop().time()


def room_for_connections() -> int:
    """How many connections of clients this process's limit on open files leaves room for."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MOST
    open_now = len(list(Path("/dev/fd").iterdir()))
    return min(MOST, max(LEAST, (limit - open_now - SPARE) // EACH))
