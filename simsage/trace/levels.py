"""Quantities that change now and then, as a trace's counters show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate, groupby

from simsage.trace.recorder import Change

Span = tuple[float, float]
"""From when to when, seconds."""


def under_way(spans: Iterable[Span]) -> list[Change]:
    """How many of ``spans`` are under way, whenever that changes."""
    changes: Counter[float] = Counter()
    for since, until in spans:
        changes[since] += 1
        changes[until] -= 1
    times = sorted(changes)
    counts = accumulate(changes[time] for time in times)
    return list(thinned(zip(times, counts, strict=True)))


def thinned(changes: Iterable[Change]) -> Iterator[Change]:
    """Changes in order of time without those that change nothing: of several at one time the last counts."""
    value = None
    for time, at_once in groupby(changes, lambda change: change[0]):
        latest = [changed for _, changed in at_once][-1]
        if latest != value:
            value = latest
            yield time, latest


def held(values: Iterable[Change], ends: Iterable[Change]) -> list[Change]:
    """Each of ``values`` until the next one, or 0 where ``ends`` fall to 0 before."""
    zeros = [(time, 0) for time, value in ends if value == 0]
    return list(thinned(sorted([*zeros, *values], key=lambda change: change[0])))


def lanes(spans: Iterable[Span]) -> list[int]:
    """For each of ``spans``, in order of start, the lowest number that no other has at the same time."""
    ends: list[float] = []
    chosen = []
    for since, until in spans:
        lane = next((number for number, end in enumerate(ends) if end <= since), len(ends))
        ends[lane : lane + 1] = [until]
        chosen.append(lane)
    return chosen
