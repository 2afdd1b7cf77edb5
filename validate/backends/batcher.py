"""Batcher: forms batches of texts as `simcore.embedding_server` does, on the wall clock."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from simcore.embedding_server import BatchingWindow

Vectors = Sequence[Sequence[float]]
Encode = Callable[[list[str]], Vectors]


@dataclass(slots=True, eq=False)
class Job:
    """The texts of one request, and where their vectors go."""

    texts: list[str]
    tokens: int
    arrival: float
    vectors: asyncio.Future[Vectors]


class Batcher:
    """One batch at a time, encoded in a thread of its own so that the server goes on listening."""

    def __init__(self, window: BatchingWindow, encode: Encode) -> None:
        self._window = window
        self._encode = encode
        self._queue: deque[Job] = deque()
        self._texts = 0
        self._tokens = 0
        self._busy = False
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1)

    async def embed(self, texts: list[str], tokens: int) -> Vectors:
        """The vectors of a request's texts, ``tokens`` in all. Cancelled while it waits, it is forgotten."""
        job = Job(texts, tokens, self._loop.time(), self._loop.create_future())
        self._queue.append(job)
        self._count(job, 1)
        self._consider()
        try:
            return await job.vectors
        except asyncio.CancelledError:
            if job in self._queue:
                self._queue.remove(job)
                self._count(job, -1)
            raise

    def _count(self, job: Job, sign: int) -> None:
        self._texts += sign * len(job.texts)
        self._tokens += sign * job.tokens

    def _consider(self) -> None:
        if self._busy or not self._queue:
            return
        window = self._window
        full = window.serial or self._texts >= window.max_batch or self._tokens >= window.max_tokens
        ready_at = self._queue[0].arrival + window.max_wait
        if full or ready_at <= self._loop.time():
            self._begin(self._take_batch())
        else:
            self._loop.call_at(ready_at, self._consider)

    def _take_batch(self) -> list[Job]:
        window = self._window
        batch = [self._take()]
        texts, tokens = len(batch[0].texts), batch[0].tokens
        while self._queue and not window.serial:
            texts += len(self._queue[0].texts)
            tokens += self._queue[0].tokens
            if texts > window.max_batch or tokens > window.max_tokens:
                break
            batch.append(self._take())
        return batch

    def _take(self) -> Job:
        job = self._queue.popleft()
        self._count(job, -1)
        return job

    def _begin(self, batch: list[Job]) -> None:
        self._busy = True
        texts = [text for job in batch for text in job.texts]
        encoding = self._loop.run_in_executor(self._thread, self._encode, texts)
        encoding.add_done_callback(lambda done: self._end(batch, done))

    def _end(self, batch: list[Job], done: asyncio.Future[Vectors]) -> None:
        error = done.exception()
        start = 0
        for job in batch:
            if not job.vectors.done():
                if error is None:
                    job.vectors.set_result(done.result()[start : start + len(job.texts)])
                else:
                    job.vectors.set_exception(error)
            start += len(job.texts)
        self._busy = False
        self._consider()
