"""Retriever: a vector index with a number of servers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from simpy import Environment

from simcore.backend import BackendEvents, BackendName
from simcore.extent import Extent
from simcore.meter import Level, Meter
from simcore.request import Request, Service
from simcore.result import BackendUsage
from simcore.timer import Timer


class Retriever:
    """First come, first served by ``concurrency`` servers.

    ``service_time`` draws the seconds of a look-up, told how many are under way as it starts, itself among
    them. What starts or ends later changes it no more.
    """

    def __init__(
        self,
        env: Environment,
        naming: BackendName,
        service_time: Callable[[int], float],
        concurrency: int,
        events: BackendEvents,
        counted: tuple[float, float],
    ) -> None:
        self.env = env
        self._naming = naming
        self._service_time = service_time
        self._concurrency = concurrency
        self._events = events
        self._queue: deque[Request] = deque()
        self._counted = Meter(*counted)
        self._waiting = Level(*counted)
        self._working = Level(*counted)
        self._served = 0
        self.under_way = Extent()

    @property
    def device(self) -> str:
        """Its own name, as it shares no device."""
        return self._naming.name

    def submit(self, request: Request) -> None:
        """Receive a request."""
        request.backend_arrival = self.env.now
        self._queue.append(request)
        self._waiting.change(1, self.env.now)
        self._serve()

    def cancel(self, request: Request) -> None:
        """Give up a request that still waits; a look-up under way goes on."""
        if request in self._queue:
            self._queue.remove(request)
            self._waiting.change(-1, self.env.now)

    def finish(self) -> BackendUsage:
        """End with the simulation; what it did, with what is still under way."""
        self._counted.close(self.env.now)
        working, span = self._working.mean(self.env.now), self._counted.span
        return BackendUsage(
            name=self._naming.name,
            service=Service.RETRIEVER,
            device=self.device,
            profile=self._naming.profile,
            span=span,
            busy=working / self._concurrency * span if span else 0.0,
            steps=self._served,
            batch_mean=working,
            waiting_mean=self._waiting.mean(self.env.now),
        )

    def _serve(self) -> None:
        if not self._queue or self._working.value >= self._concurrency:
            return
        request = self._queue.popleft()
        request.scheduled = self.env.now
        self._waiting.change(-1, self.env.now)
        self._working.change(1, self.env.now)
        self.under_way.take(self._working.value)
        # A timer even for no time: look-ups that each begin the next would nest as deep as they are many.
        Timer(self.env, self._service_time(self._working.value), self._end, request)

    def _end(self, request: Request) -> None:
        self._served += 1
        self._working.change(-1, self.env.now)
        self._events.finished(request, 0.0)
        self._serve()
