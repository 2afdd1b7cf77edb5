"""EmbeddingServer: forms batches of texts and works on one at a time."""

from __future__ import annotations

from collections.abc import Callable

from simpy import Environment

from simcore.backend import BackendEvents, BackendName
from simcore.batch_queue import BatchingWindow, BatchQueue
from simcore.device import Job, Workplace
from simcore.embedding_host import EmbeddingHost, HostWork
from simcore.embedding_usage import EmbeddingUsage
from simcore.extent import Extent
from simcore.profile.base import Overheads
from simcore.profile.embedtime import EmbedTime
from simcore.request import Request, Service
from simcore.result import BackendUsage
from simcore.timer import after


class EmbeddingServer:
    """First come, first served. A request's texts stay together; too many for one batch follow each other.

    ``overheads`` delay a request alone. ``host`` is what the server does for requests one after another,
    beside the batches; ``served`` is what it does on the device itself, which a batch then takes longer by.
    """

    def __init__(
        self,
        env: Environment,
        naming: BackendName,
        window: BatchingWindow,
        embed_time: EmbedTime,
        residual: Callable[[], float],
        device: Workplace,
        overheads: Overheads,
        host: EmbeddingHost,
        served: HostWork,
        events: BackendEvents,
        usage: EmbeddingUsage,
    ) -> None:
        self.env = env
        self._naming = naming
        self._window = window
        self._embed_time = embed_time
        self._residual = residual
        self._device = device
        self._overheads = overheads
        self._host = host
        self._served = served
        self._events = events
        self._queue: BatchQueue[Request] = BatchQueue(window)
        self._usage = usage
        self._under_way: tuple[Job, int, int, int] | None = None
        """The batch that is worked on, its requests, its texts and their tokens."""
        self._slowdown = 1.0
        self.batches = Extent()
        """Texts in a batch."""
        self.lengths = Extent()
        """Tokens of the longest text in a batch."""

    @property
    def device(self) -> str:
        """The name of the device that it works on."""
        return self._device.name

    def submit(self, request: Request) -> None:
        """Receive a request."""
        delay = self._overheads.request + self._overheads.prompt_token * request.prompt_tokens
        after(self.env, delay, self._host.take_in, request, self._arrive)

    def cancel(self, request: Request) -> None:
        """Give up a request that still waits; a batch under way goes on."""
        if self._queue.remove(request):
            self._usage.waiting.change(-1, self.env.now)

    def crash(self) -> None:
        """Lose all requests; the device is told by who lets it crash."""
        self._count_under_way()
        waiting = self._usage.waiting
        waiting.change(-waiting.value, self.env.now)
        self._queue = BatchQueue(self._window)
        self._host.crash()

    def slow(self, factor: float) -> None:
        """Let batches that begin from now on take ``factor`` times as long."""
        self._slowdown = factor

    def finish(self) -> BackendUsage:
        """End with the simulation; what it did, with what is still under way."""
        self._count_under_way()
        usage = self._usage
        usage.window.close(self.env.now)
        busy = usage.window.total
        return BackendUsage(
            name=self._naming.name,
            service=Service.EMBEDDING,
            device=self.device,
            profile=self._naming.profile,
            span=usage.window.span,
            busy=busy,
            steps=usage.batches,
            batch_mean=usage.texts / busy if busy else 0.0,
            waiting_mean=usage.waiting.mean(self.env.now),
            price_per_hour=self._naming.price_per_hour,
            in_gaps=usage.in_gaps,
            joules=None if usage.energy is None else usage.joules,
        )

    def _arrive(self, request: Request) -> None:
        if request.outcome is not None:
            return
        request.backend_arrival = now = self.env.now
        self._queue.add(request, len(request.text_tokens), request.prompt_tokens, now)
        self._usage.waiting.change(1, now)
        self._consider()

    def _consider(self) -> None:
        now = self.env.now
        if batch := self._queue.next_batch(now):
            self._begin(batch, now)
        elif (wake_at := self._queue.wake_at()) is not None:
            after(self.env, wake_at - now, self._consider)

    def _begin(self, batch: list[Request], now: float) -> None:
        for request in batch:
            request.scheduled = now
        self._usage.waiting.change(-len(batch), now)
        texts = [length for request in batch for length in request.text_tokens]
        tokens = sum(texts)
        size = self._window.max_batch
        work = sum(self._embed_time(texts[i : i + size]) for i in range(0, len(texts), size))
        constants = self._embed_time.constant * -(-len(texts) // size)
        self.batches.take(min(len(texts), size))
        self.lengths.take(max(texts))

        def end(job: Job) -> None:
            now = self.env.now
            self._under_way = None
            self._usage.worked(len(batch), len(texts), job.started, now, job.in_gap)
            self._usage.spent(tokens, job.started, now)
            for request in batch:
                request.interference = job.lost(now)
                self._events.finished(request, self._host.hand_out(request) + self._overheads.output)
            self._queue.finish()
            self._consider()

        served = self._served.of_requests(len(batch), sum(texts), len(texts))
        seconds = self._slowdown * (work * self._residual() + served)
        job = Job(Service.EMBEDDING, seconds, end, compute_share=1.0 - constants / work if work else 0.0)
        self._under_way = job, len(batch), len(texts), tokens
        self._device.start(job)

    def _count_under_way(self) -> None:
        """Count a batch that will not end, as far as it came."""
        if self._under_way is None:
            return
        job, requests, texts, tokens = self._under_way
        self._under_way = None
        now = self.env.now
        if job.worked(now):
            self._usage.worked(requests, texts, job.started, now, job.in_gap)
            self._usage.spent(tokens, job.started, now)
