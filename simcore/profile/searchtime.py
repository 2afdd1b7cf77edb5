"""SearchTime: how long a look-up in a vector index takes."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchTime:
    """Seconds of one look-up of ``k`` results that starts when ``under_way`` are at work, itself among them.

    ::

        T = (constant + per_k * k) * slowdown(under_way)

    ``marks`` are measured numbers under way, rising, each with its slowdown. Between them the slowdown is
    linear, beyond them it goes on as between the last two.
    """

    constant: float
    per_k: float = 0.0
    marks: tuple[tuple[int, float], ...] = ()

    def __call__(self, k: int, under_way: int = 1) -> float:
        """Seconds; ``under_way`` counts from 1."""
        return (self.constant + self.per_k * k) * self.slowdown(under_way)

    def slowdown(self, under_way: int) -> float:
        """How many times longer than alone; at least 1."""
        if len(self.marks) < 2:
            return 1.0
        after = bisect_right(self.marks, (under_way, float("inf")))
        index = min(max(after, 1), len(self.marks) - 1)
        (left, low), (right, high) = self.marks[index - 1], self.marks[index]
        return max(1.0, low + (high - low) * (under_way - left) / (right - left))
