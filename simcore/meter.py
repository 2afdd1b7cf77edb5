"""Meter: time integrals over the window that is counted."""

from __future__ import annotations


class Meter:
    """Adds up value x time inside ``[start, end]``, seconds, of which there are some."""

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

    @property
    def mean(self) -> float:
        """The time average over the window."""
        return self.total / (self.end - self.start)


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
        """The time average over the window; ``now`` is past its end."""
        self.change(0, now)
        return self._meter.mean
