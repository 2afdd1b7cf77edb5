"""HealthChecks: asks every backend now and then whether it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import aiohttp

from validate.live.backend import LiveBackend
from validate.live.driver import LiveDriver

Session = aiohttp.ClientSession


class HealthChecks:
    """A backend that does not answer gets no requests until it does.

    SAGE's rule: asked every ``period`` seconds, unhealthy after one check that took over ``timeout``. One
    that fails a request counts as unhealthy at once and is asked at once.
    """

    def __init__(
        self, driver: LiveDriver, backends: Iterable[LiveBackend], period: float, timeout: float
    ) -> None:
        self._driver = driver
        self._period = period
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._doubts = {backend.index: asyncio.Event() for backend in backends}
        self._backends = list(backends)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, session: Session) -> None:
        """Begin to ask."""
        self._tasks = [asyncio.create_task(self._watch(session, backend)) for backend in self._backends]

    async def stop(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def doubt(self, backend: LiveBackend) -> None:
        """Give it no more requests until it has answered a check, which is made at once."""
        self._driver.mark(backend.index, False)
        self._doubts[backend.index].set()

    async def _watch(self, session: Session, backend: LiveBackend) -> None:
        doubt = self._doubts[backend.index]
        while True:
            doubt.clear()
            well = await answers(session, f"{backend.url}/health", self._timeout)
            # What has failed meanwhile may have failed after it answered.
            if not doubt.is_set():
                self._driver.mark(backend.index, well)
                await self._until_next(doubt)

    async def _until_next(self, doubt: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._period):
                await doubt.wait()
        except TimeoutError:
            return


async def answers(session: Session, url: str, timeout: aiohttp.ClientTimeout) -> bool:
    """Whether there is any answer but a server's error: not every endpoint has a ``/health``."""
    try:
        async with session.get(url, timeout=timeout, allow_redirects=False) as answer:
            return answer.status < 500
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
