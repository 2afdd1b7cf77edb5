"""Batcher: an embedding server's batches on the wall clock, formed by the simulator's own `BatchQueue`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from simcore.batch_queue import BatchingWindow, BatchQueue

Vectors = Sequence[Sequence[float]]
Encode = Callable[[list[str]], Vectors]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """The texts of one request, and where their vectors go."""

    texts: list[str]
    vectors: asyncio.Future[Vectors]


class Batcher:
    """One batch at a time, encoded in a thread of its own so that the server goes on listening."""

    def __init__(self, window: BatchingWindow, encode: Encode) -> None:
        self._queue: BatchQueue[Job] = BatchQueue(window)
        self._encode = encode
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1)

    async def embed(self, texts: list[str], tokens: int) -> Vectors:
        """The vectors of a request's texts, ``tokens`` in all. Cancelled while it waits, it is forgotten."""
        job = Job(texts, self._loop.create_future())
        self._queue.add(job, len(texts), tokens, self._loop.time())
        self._consider()
        try:
            return await job.vectors
        except asyncio.CancelledError:
            self._queue.remove(job)
            raise

    def _consider(self) -> None:
        if batch := self._queue.next_batch(self._loop.time()):
            self._begin(batch)
        elif (wake_at := self._queue.wake_at()) is not None:
            self._loop.call_at(wake_at, self._consider)

    def _begin(self, batch: list[Job]) -> None:
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
        self._queue.finish()
        self._consider()
