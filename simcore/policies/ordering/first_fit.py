"""FirstFit: which batch each newcomer joins (Johnson et al., SIAM Journal on Computing, 1974)."""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf


class FirstFit:
    """Batches of at most ``capacity`` items, numbered from 0; a newcomer joins the first with room for it.

    The open batches of each room are a heap of their numbers, so joining is O(capacity + log batches).
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._with_room: list[list[int]] = [[] for _ in range(capacity)] + [[0]]
        self.closed = -1
        """The last batch that no one may join any more."""

    def join(self, items: int) -> int:
        """The number of the batch that takes ``items``; more than the capacity fill a batch of their own."""
        items = min(items, self._capacity)
        room = min(range(items, self._capacity + 1), key=self._first)
        batch = heappop(self._with_room[room])
        if room == self._capacity:
            heappush(self._with_room[room], batch + 1)
        if room > items:
            heappush(self._with_room[room - items], batch)
        return batch

    def close(self, batch: int) -> None:
        """Let no one join ``batch``, nor any before it."""
        self.closed = max(self.closed, batch)

    def _first(self, room: int) -> float:
        batches = self._with_room[room]
        while batches and batches[0] <= self.closed:
            heappop(batches)
        return batches[0] if batches else inf
