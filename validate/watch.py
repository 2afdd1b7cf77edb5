"""Watch: what happens to the servers of a replay that its scenario does not have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from types import TracebackType
from typing import Self

import aiohttp

from calibration.backends.process import BackendProcess
from validate.live.clock import Clock
from validate.live.health import answers

PERIOD = 1.0
"""Seconds between two health checks of a server."""
PATIENCE = aiohttp.ClientTimeout(total=5.0)
"""What a check waits: as long as the gateway's own."""
LOOK = 0.1
"""Seconds between two looks whether the processes live."""
SHELL_SIGNAL = 128
"""A leash's exit code is this more than the number of the signal that its backend died of."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened, ``at`` so many seconds after the replay began."""

    at: float
    what: str

    def __str__(self) -> str:
        return f"{self.what} at {self.at:.1f} s"


@dataclass(frozen=True, slots=True)
class Watched:
    """A server by the name that sentences have for it, and the URL that it answers while it is well.

    ``process`` is the one that was started for it, if any. ``restart`` starts it again, where that is to be
    done when it has died.
    """

    name: str
    check: str
    process: BackendProcess | None = None
    restart: Callable[[], None] | None = None


class Watch:
    """Looks after servers while its context lasts, and once more at its end.

    ``incidents`` tell what it saw, in order.
    """

    def __init__(self, watched: Sequence[Watched], clock: Clock, session: aiohttp.ClientSession) -> None:
        self._watched = watched
        self._clock = clock
        self._session = session
        self._dead: set[str] = set()
        self._silent: set[str] = set()
        self.incidents: list[Incident] = []

    @property
    def lost(self) -> list[str]:
        """The servers that are dead or silent now, and that nobody restarts."""
        down = self._dead | self._silent
        return [one.name for one in self._watched if one.name in down and one.restart is None]

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            # One that went away after its last check would pass for well.
            await asyncio.gather(*map(self._ask, self._watched))
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._look()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_looking())
            for one in self._watched:
                group.create_task(self._keep_asking(one))

    async def _keep_looking(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(LOOK)

    def _look(self) -> None:
        for one in self._watched:
            if one.name not in self._dead and (death := _death(one.process)) is not None:
                self._bury(one, death)

    def _bury(self, one: Watched, death: str) -> None:
        if one.restart is None:
            self._dead.add(one.name)
            self._note(f"{one.name} died ({death})")
        else:
            one.restart()
            self._silent.add(one.name)
            self._note(f"{one.name} died ({death}) and was restarted on the same port")

    async def _keep_asking(self, one: Watched) -> None:
        while one.name not in self._dead:
            await self._ask(one)
            await asyncio.sleep(PERIOD)

    async def _ask(self, one: Watched) -> None:
        asked = self._clock.now()
        well = await answers(self._session, one.check, PATIENCE)
        if not well:
            # The end of a process shows in its sockets first, and is told as one.
            await asyncio.sleep(2 * LOOK)
        self._learn(one, well, asked)

    def _learn(self, one: Watched, well: bool, asked: float) -> None:
        if well and one.name in self._silent:
            self._silent.remove(one.name)
            self._note(f"{one.name} answered again")
        elif not well and one.name not in self._silent | self._dead:
            self._silent.add(one.name)
            self._note(f"{one.name} stopped answering its health check", asked)

    def _note(self, what: str, at: float | None = None) -> None:
        self.incidents.append(Incident(self._clock.now() if at is None else at, what))
        # A check that was long in vain counts from its asking, before what happened meanwhile.
        self.incidents.sort(key=attrgetter("at"))


def _death(process: BackendProcess | None) -> str | None:
    """What the process died of, if it did; its leash tells a signal as shells do."""
    code = None if process is None else process.process.poll()
    if code is None:
        return None
    number = -code if code < 0 else code - SHELL_SIGNAL
    return f"signal {number}" if number > 0 else f"exit code {code}"
