"""An aiohttp server in a thread of its own, while a test waits in this one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiohttp import web


@contextmanager
def in_thread(start: Callable[[], Awaitable[web.AppRunner]]) -> Iterator[None]:
    """Let what ``start`` starts serve until the context ends."""
    loop, up = asyncio.new_event_loop(), threading.Event()

    async def begin() -> web.AppRunner:
        return await start()

    def work() -> None:
        runner = loop.run_until_complete(begin())
        up.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert up.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
