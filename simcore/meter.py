"""Meter: time integrals over the window that is counted."""

from __future__ import annotations

from math import nan


class Meter:
    """Adds up value x time inside ``[start, end]``, seconds; ``end`` may be infinite until it is closed."""

    __slots__ = ("end", "start", "total")

    def __init__(self, start: float, end: float) -> None:
        self.start = start
        self.end = end
        self.total = 0.0

    def add(self, value: float, since: float, until: float) -> float:
        """Count ``value`` from ``since`` to ``until``; returns how much of that lies in the window."""
        if since < self.start:
            since = self.start
        if until > self.end:
            until = self.end
        if until <= since:
            return 0.0
        self.total += value * (until - since)
        return until - since

    def close(self, now: float) -> None:
        """End the window ``now`` where it has no earlier end."""
        self.end = max(self.start, min(self.end, now))

    @property
    def span(self) -> float:
        """The length of the window, once it is closed."""
        return self.end - self.start

    @property
    def mean(self) -> float:
        """The time average over the window, NaN over none."""
        return self.total / self.span if self.span else nan


class Level:
    """A quantity that changes now and then, integrated by a `Meter` of its own."""

    __slots__ = ("_meter", "_since", "value")

    def __init__(self, start: float, end: float) -> None:
        self._meter = Meter(start, end)
        self._since = 0.0
        self.value = 0

    def change(self, by: int, now: float) -> None:
        """Let the quantity change at ``now``."""
        if now > self._since:
            if self.value:
                self._meter.add(self.value, self._since, now)
            self._since = now
        self.value += by

    def mean(self, now: float) -> float:
        """The time average over the window, which ends ``now`` where it has no earlier end."""
        self.change(0, now)
        self._meter.close(now)
        return self._meter.mean
