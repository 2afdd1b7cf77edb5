"""Retrieval: look-ups whose service time the scenario gives, at the client's side of a live run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simcore.request import Request


class Retrieval:
    """``concurrency`` servers, each busy for the seconds that ``service_time`` draws.

    A scenario that gives service times models no index, so there is none to run: the time passes here too.
    """

    def __init__(self, concurrency: int, service_time: Callable[[], float]) -> None:
        self._servers = asyncio.Semaphore(concurrency)
        self._service_time = service_time

    async def look_up(self, request: Request) -> None:
        """Wait for a server and for its answer."""
        async with self._servers:
            await asyncio.sleep(self._service_time())
