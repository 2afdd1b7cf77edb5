"""EmbeddingServer: forms batches of texts and works on one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simpy import Environment

from simcore.backend import BackendEvents, BackendName
from simcore.device import CoordinatedDevice, Device, Job
from simcore.extent import Extent
from simcore.meter import Level, Meter
from simcore.profile.base import Overheads
from simcore.profile.embedtime import EmbedTime
from simcore.request import Request, Service
from simcore.result import BackendUsage
from simcore.timer import after


@dataclass(frozen=True, slots=True)
class BatchingWindow:
    """A batch goes when ``max_batch`` texts or ``max_tokens`` tokens wait, or one has waited ``max_wait``.

    With ``serial`` a batch is one request, as in SAGE's own embedding server.
    """

    max_batch: int
    max_tokens: int
    max_wait: float
    serial: bool


class EmbeddingServer:
    """First come, first served. A request's texts stay together; too many for one batch follow each other."""

    def __init__(
        self,
        env: Environment,
        naming: BackendName,
        window: BatchingWindow,
        embed_time: EmbedTime,
        residual: Callable[[], float],
        device: Device | CoordinatedDevice,
        overheads: Overheads,
        events: BackendEvents,
        counted: tuple[float, float],
    ) -> None:
        self.env = env
        self._naming = naming
        self._window = window
        self._embed_time = embed_time
        self._residual = residual
        self._device = device
        self._overheads = overheads
        self._events = events
        self._queue: deque[Request] = deque()
        self._texts = 0
        self._tokens = 0
        self._busy = False
        self._waiting = Level(*counted)
        self._worked = Meter(*counted)
        self._batch = Meter(*counted)
        self._batches = 0
        self.batches = Extent()
        """Texts in a batch."""
        self.lengths = Extent()
        """Tokens of the longest text in a batch."""

    def submit(self, request: Request) -> None:
        """Receive a request."""
        delay = self._overheads.request + self._overheads.prompt_token * request.prompt_tokens
        after(self.env, delay, self._arrive, request)

    def cancel(self, request: Request) -> None:
        """Give up a request that still waits; a batch under way goes on."""
        if request in self._queue:
            self._queue.remove(request)
            self._count(request, -1)

    def usage(self) -> BackendUsage:
        """What it did, once the simulation is over."""
        worked = self._worked.total
        return BackendUsage(
            name=self._naming.name,
            service=Service.EMBEDDING,
            device=self._device.name,
            profile=self._naming.profile,
            span=max(0.0, self._worked.end - self._worked.start),
            busy=worked,
            steps=self._batches,
            batch_mean=self._batch.total / worked if worked else 0.0,
            waiting_mean=self._waiting.mean(self.env.now),
            price_per_hour=self._naming.price_per_hour,
        )

    def _arrive(self, request: Request) -> None:
        if request.outcome is not None:
            return
        request.backend_arrival = self.env.now
        self._queue.append(request)
        self._count(request, 1)
        self._consider()

    def _count(self, request: Request, sign: int) -> None:
        self._texts += sign * len(request.text_tokens)
        self._tokens += sign * request.prompt_tokens
        self._waiting.change(sign, self.env.now)

    def _consider(self) -> None:
        if self._busy or not self._queue:
            return
        window = self._window
        full = window.serial or self._texts >= window.max_batch or self._tokens >= window.max_tokens
        ready_at = self._queue[0].backend_arrival + window.max_wait
        if full or ready_at <= self.env.now:
            self._begin(self._take_batch())
        else:
            after(self.env, ready_at - self.env.now, self._consider)

    def _take_batch(self) -> list[Request]:
        window = self._window
        batch = [self._take()]
        texts, tokens = len(batch[0].text_tokens), batch[0].prompt_tokens
        while self._queue and not window.serial:
            texts += len(self._queue[0].text_tokens)
            tokens += self._queue[0].prompt_tokens
            if texts > window.max_batch or tokens > window.max_tokens:
                break
            batch.append(self._take())
        return batch

    def _take(self) -> Request:
        request = self._queue.popleft()
        request.scheduled = self.env.now
        self._count(request, -1)
        return request

    def _begin(self, batch: list[Request]) -> None:
        self._busy = True
        texts = [length for request in batch for length in request.text_tokens]
        size = self._window.max_batch
        work = sum(self._embed_time(texts[i : i + size]) for i in range(0, len(texts), size))
        self.batches.take(min(len(texts), size))
        self.lengths.take(max(texts))

        def end() -> None:
            self._batches += 1
            self._worked.add(1.0, job.started, self.env.now)
            self._batch.add(len(texts), job.started, self.env.now)
            for request in batch:
                self._events.finished(request, self._overheads.output)
            self._busy = False
            self._consider()

        job = Job(Service.EMBEDDING, work * self._residual(), end)
        self._device.start(job)
