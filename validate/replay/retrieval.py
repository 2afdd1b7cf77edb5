"""Retrieval: look-ups at the client's side of a live run, as a gateway's API has none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

import aiohttp

from simcore.request import Request
from validate.replay.exchange import checked


class Retrieval(Protocol):
    """What answers look-ups."""

    async def look_up(self, request: Request) -> None:
        """Return once the request has its answer."""
        ...


class Waiting:
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


class Searching:
    """Real indexes at ``urls``, asked for ``k`` results; each time the one with the fewest under way."""

    def __init__(self, session: aiohttp.ClientSession, urls: Iterable[str], k: int) -> None:
        self._session = session
        self._under_way = dict.fromkeys(urls, 0)
        self._body = {"queries": 1, "k": k}

    async def look_up(self, request: Request) -> None:
        """Raises `Refused` for an error, aiohttp's errors for a broken connection."""
        url = min(self._under_way, key=self._under_way.__getitem__)
        self._under_way[url] += 1
        try:
            async with self._session.post(f"{url}/search", json=self._body) as response:
                await checked(response)
                await response.read()
        finally:
            self._under_way[url] -= 1
