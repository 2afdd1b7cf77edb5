"""SAGE's ``hybrid``: embeddings in batches of up to 32 texts, everything else as ``adaptive``."""

from __future__ import annotations

from simcore.policies.base import Ordering, PolicySettings
from simcore.policies.ordering.adaptive import Adaptive
from simcore.policies.ordering.first_fit import FirstFit
from simcore.policies.ordering.heap_queue import HeapQueue
from simcore.request import Request, Service

MAX_TEXTS = 32
"""Texts that SAGE's embedding batches take at most."""


def texts_of(request: Request) -> int:
    """Texts that an embedding request brings, at least 1."""
    return max(1, len(request.text_tokens))


class Hybrid(Ordering):
    """A lane serves one service: ``EmbeddingBatches`` for embeddings, ``Adaptive`` for any other.

    SAGE's preference between the two kinds depends on how much of each waits, which no lane knows;
    the heads of lanes are compared by arrival.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        embeds = any(b.service is Service.EMBEDDING for b in settings.pool.backends)
        self._waiting: Ordering = EmbeddingBatches(settings) if embeds else Adaptive(settings)

    def push(self, request: Request, now: float) -> None:
        self._waiting.push(request, now)

    def peek(self, now: float) -> Request:
        return self._waiting.peek(now)

    def pop(self, now: float) -> Request:
        return self._waiting.pop(now)

    def discard(self, request: Request) -> None:
        self._waiting.discard(request)

    def __len__(self) -> int:
        return len(self._waiting)


class EmbeddingBatches(Ordering):
    """Batch by batch, each filled first-fit in order of arrival, and by arrival within a batch.

    A batch takes newcomers until its first request is dispatched, as SAGE groups only what waits. A request
    that is requeued joins the batch that is being dispatched, at the place of its submission.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._queue = HeapQueue()
        self._batches = FirstFit(MAX_TEXTS)

    def push(self, request: Request, now: float) -> None:
        requeued = request.submitted < now
        batch = self._batches.closed if requeued else self._batches.join(texts_of(request))
        self._queue.push(request, (batch, request.submitted))

    def peek(self, now: float) -> Request:
        return self._queue.head()[1]

    def pop(self, now: float) -> Request:
        (batch, _), request = self._queue.pop()
        self._batches.close(int(batch))
        return request

    def discard(self, request: Request) -> None:
        self._queue.discard(request)

    def __len__(self) -> int:
        return len(self._queue)
