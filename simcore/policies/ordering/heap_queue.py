"""HeapQueue: requests by a key that does not change while they wait."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from simcore.request import Request

Key = tuple[float, ...]
SLACK = 64
"""Forgotten entries that a heap may hold, beside as many as wait, before it is cleaned."""


class HeapQueue:
    """Smallest key first, first pushed of equals. Every operation is O(log waiting), amortised.

    A discarded request stays in the heap until it reaches the top or the forgotten outnumber the waiting.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[Key, int, Request]] = []
        self._turn_of: dict[Request, int] = {}
        self._turns = 0

    def __len__(self) -> int:
        return len(self._turn_of)

    def push(self, request: Request, key: Key) -> None:
        """Let ``request`` wait at ``key``."""
        self._turn_of[request] = self._turns
        heappush(self._heap, (key, self._turns, request))
        self._turns += 1

    def head(self) -> tuple[Key, Request]:
        """The first request and its key; IndexError if none waits."""
        heap, turn_of = self._heap, self._turn_of
        while heap:
            key, turn, request = heap[0]
            if turn_of.get(request) == turn:
                return key, request
            heappop(heap)
        raise IndexError("no request waits")

    def pop(self) -> tuple[Key, Request]:
        """Remove the first request and return it with its key; IndexError if none waits."""
        key, request = self.head()
        heappop(self._heap)
        del self._turn_of[request]
        return key, request

    def discard(self, request: Request) -> None:
        """Forget ``request``; KeyError if it does not wait."""
        del self._turn_of[request]
        if len(self._heap) > 2 * len(self._turn_of) + SLACK:
            self._heap = [entry for entry in self._heap if self._turn_of.get(entry[2]) == entry[1]]
            heapify(self._heap)
