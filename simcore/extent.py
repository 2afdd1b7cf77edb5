"""Extent: the least and the most of a quantity that a backend used."""

from __future__ import annotations

from math import inf


class Extent:
    """Empty until something is taken."""

    __slots__ = ("least", "most")

    def __init__(self) -> None:
        self.least = inf
        self.most = -inf

    def take(self, value: float) -> None:
        """Widen to ``value``."""
        if value < self.least:
            self.least = value
        if value > self.most:
            self.most = value
