"""fine_loop: an asyncio event loop whose timers are not a millisecond late."""

from __future__ import annotations

import asyncio
import select
import selectors


class FineSelector(selectors.EpollSelector):
    """Waits as long as it is told to, where epoll rounds up to whole milliseconds."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As the selectors of the standard library."""
        if timeout is None or timeout <= 0.0:
            return super().select(timeout)
        # An epoll object is readable as soon as one of its files is.
        select.select([self.fileno()], [], [], timeout)
        return super().select(0.0)


def fine_loop() -> asyncio.AbstractEventLoop:
    """A new loop, for `asyncio.Runner`."""
    return asyncio.SelectorEventLoop(FineSelector())
