"""retrieval_worker: a real FAISS index in this process. Needs faiss; run by `Worker`."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import faiss
import numpy as np
from numpy.typing import NDArray

from calibration.backends.answering import Answerer, serve
from calibration.backends.worker import Message

CHUNK = 10_000
QUERIES = 20_000
MOST_FOR_TRAINING = 50_000


def directions(count: int, dimension: int, seed: int) -> NDArray[np.float32]:
    """Random vectors of length 1, shape (count, dimension)."""
    vectors = np.random.default_rng(seed).standard_normal((count, dimension), dtype=np.float32)
    return cast(NDArray[np.float32], vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


class Searcher:
    """An index over random vectors, searched one query at a time; each thread searches with one thread."""

    def __init__(self, kind: str, parameters: str, vectors: int, dimension: int) -> None:
        # What this sets holds for the calling thread only.
        faiss.omp_set_num_threads(1)
        self.index = faiss.index_factory(dimension, kind, faiss.METRIC_INNER_PRODUCT)
        self.index.train(directions(min(vectors, MOST_FOR_TRAINING), dimension, 0))
        for start in range(0, vectors, CHUNK):
            self.index.add(directions(min(CHUNK, vectors - start), dimension, start + 1))
        if parameters:
            faiss.ParameterSpace().set_index_parameters(self.index, parameters)
        self._queries = directions(QUERIES, dimension, vectors + 1)
        self._next = 0

    def search(self, k: int, count: int) -> list[tuple[float, float]]:
        """Wall and processor seconds of each of ``count`` searches in this thread, alone."""
        return [self._timed(k) for _ in range(count)]

    def together(self, threads: int, k: int, seconds: float) -> Message:
        """Threads that search without a pause, all at once, for that long.

        Mean seconds of a search, and the share of the time of the cores they could use that they had.
        """
        barrier = threading.Barrier(threads)

        def loop() -> tuple[int, float, float]:
            faiss.omp_set_num_threads(1)
            self._timed(k)
            barrier.wait()
            start = now = time.perf_counter()
            count, cpu = 0, time.thread_time()
            while now < start + seconds:
                self._timed(k)
                count, now = count + 1, time.perf_counter()
            return count, now - start, time.thread_time() - cpu

        with ThreadPoolExecutor(threads) as pool:
            loops = [future.result() for future in [pool.submit(loop) for _ in range(threads)]]
        counts, spans, cpu = (sum(values) for values in zip(*loops, strict=True))
        usable = min(1.0, len(os.sched_getaffinity(0)) / threads)
        return {"searches": counts, "seconds": spans / counts, "share": cpu / (spans * usable)}

    def _timed(self, k: int) -> tuple[float, float]:
        # Threads that race for a query may both take it, which does no harm.
        self._next = (self._next + 1) % QUERIES
        query = self._queries[self._next : self._next + 1]
        start, cpu = time.perf_counter(), time.thread_time()
        self.index.search(query, k)
        return time.perf_counter() - start, time.thread_time() - cpu


def build(settings: Message) -> tuple[Message, Answerer]:
    """Build the index of ``kind`` with search ``parameters`` over that many ``vectors`` of ``dimension``."""
    searcher = Searcher(**cast(dict[str, Any], settings))

    def answer(question: Message) -> Message:
        how = cast(dict[str, Any], question["how"])
        if question["do"] == "together":
            return searcher.together(**how)
        return {"timings": searcher.search(**how)}

    return {"faiss": faiss.__version__, "threads": faiss.omp_get_max_threads(), **settings}, answer


if __name__ == "__main__":
    serve(build)
