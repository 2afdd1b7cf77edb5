"""BatchQueue: which waiting jobs form an embedding server's next batch, by the time that it is told."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

Job = TypeVar("Job")


@dataclass(frozen=True, slots=True)
class BatchingWindow:
    """A batch goes when ``max_batch`` texts or ``max_tokens`` tokens wait, or one has waited ``max_wait``.

    Seconds. With ``serial`` a batch is one job, as in SAGE's own embedding server.
    """

    max_batch: int
    max_tokens: int
    max_wait: float
    serial: bool


class BatchQueue(Generic[Job]):
    """First come, first served, one batch at a time. A job's texts stay together, however many they are.

    SimPy drives it in `simcore.embedding_server`, asyncio in `calibration.backends.batcher`. Both ask for a
    batch after `add`, after `finish` and at `wake_at`.
    """

    __slots__ = ("_busy", "_queue", "_texts", "_tokens", "_window")

    def __init__(self, window: BatchingWindow) -> None:
        self._window = window
        self._queue: deque[tuple[Job, int, int, float]] = deque()
        """Jobs with their texts, tokens and arrival."""
        self._texts = 0
        self._tokens = 0
        self._busy = False

    def add(self, job: Job, texts: int, tokens: int, now: float) -> None:
        """Let a job of so many texts, ``tokens`` in all, wait from ``now`` on."""
        self._queue.append((job, texts, tokens, now))
        self._texts += texts
        self._tokens += tokens

    def remove(self, job: Job) -> bool:
        """Forget a job; False if it does not wait."""
        for place, (waiting, texts, tokens, _) in enumerate(self._queue):
            if waiting is job:
                del self._queue[place]
                self._texts -= texts
                self._tokens -= tokens
                return True
        return False

    def next_batch(self, now: float) -> list[Job]:
        """The jobs of the batch that begins ``now``; none if none is due or the last is not finished."""
        if self._busy or not self._queue:
            return []
        window = self._window
        full = window.serial or self._texts >= window.max_batch or self._tokens >= window.max_tokens
        if not full and self._queue[0][3] + window.max_wait > now:
            return []
        self._busy = True
        return self._take_batch()

    def wake_at(self) -> float | None:
        """When the first job has waited long enough; None where only `add` or `finish` changes anything."""
        return None if self._busy or not self._queue else self._queue[0][3] + self._window.max_wait

    def finish(self) -> None:
        """The batch under way is done."""
        self._busy = False

    def _take_batch(self) -> list[Job]:
        window, queue = self._window, self._queue
        job, texts, tokens, _ = queue.popleft()
        batch = [job]
        while queue and not window.serial:
            job, more_texts, more_tokens, _ = queue[0]
            if texts + more_texts > window.max_batch or tokens + more_tokens > window.max_tokens:
                break
            queue.popleft()
            batch.append(job)
            texts += more_texts
            tokens += more_tokens
        self._texts -= texts
        self._tokens -= tokens
        return batch
