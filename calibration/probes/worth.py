"""worth: an order of measurements of which every beginning is spread over all kinds and sizes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain
from typing import TypeVar

T = TypeVar("T")


def by_worth(items: Iterable[T], kind: Callable[[T], Hashable], size: Callable[[T], float]) -> list[T]:
    """The items in turns of one of each kind; within a kind the smallest, the largest, then middles of gaps.

    So whoever has to stop early has seen every kind of work, and of each its widest range.
    """
    kinds: dict[Hashable, list[T]] = defaultdict(list)
    for item in items:
        kinds[kind(item)].append(item)
    orders = [halving(sorted(group, key=size)) for group in kinds.values()]
    return list(
        chain.from_iterable(_turn(orders, number) for number in range(max(map(len, orders), default=0)))
    )


def _turn(orders: Sequence[Sequence[T]], number: int) -> list[T]:
    return [order[number] for order in orders if number < len(order)]


def halving(items: Sequence[T]) -> list[T]:
    """The first, the last, the one in the middle, the middles of both halves, and so on."""
    if len(items) < 3:
        return list(items)
    found, gaps = [items[0], items[-1]], deque([(0, len(items) - 1)])
    while gaps:
        low, high = gaps.popleft()
        if high - low > 1:
            middle = (low + high) // 2
            found.append(items[middle])
            gaps += [(low, middle), (middle, high)]
    return found


def blocked(items: Iterable[T], size: Callable[[T], float], most: float) -> list[list[T]]:
    """The items in their order, cut so that each block is of ``most`` at most, or of one item."""
    blocks: list[list[T]] = [[]]
    for item in items:
        if blocks[-1] and sum(map(size, blocks[-1])) + size(item) > most:
            blocks.append([])
        blocks[-1].append(item)
    return blocks
