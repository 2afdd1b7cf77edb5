"""HeapOrdering: an ordering by a key that does not change while a request waits."""

from __future__ import annotations

from simcore.policies.base import Ordering, PolicySettings
from simcore.policies.ordering.heap_queue import HeapQueue
from simcore.request import Request


class HeapOrdering(Ordering):
    """An ordering by ``key``, for keys that do not depend on the time."""

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._queue = HeapQueue()

    def push(self, request: Request, now: float) -> None:
        self._queue.push(request, self.key(request, now))

    def peek(self, now: float) -> Request:
        return self._queue.head()[1]

    def pop(self, now: float) -> Request:
        return self._queue.pop()[1]

    def discard(self, request: Request) -> None:
        self._queue.discard(request)

    def __len__(self) -> int:
        return len(self._queue)
