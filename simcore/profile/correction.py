"""Correction: a factor that depends on one quantity, from a table."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Correction:
    """Linear between the marks ``at``, which rise, and constant beyond them; 1 without any marks."""

    at: tuple[float, ...] = ()
    factor: tuple[float, ...] = ()

    def __call__(self, value: float) -> float:
        """The factor at ``value``."""
        if not self.at:
            return 1.0
        index = bisect_right(self.at, value)
        if index == 0:
            return self.factor[0]
        if index == len(self.at):
            return self.factor[-1]
        left, right = self.at[index - 1], self.at[index]
        share = (value - left) / (right - left)
        return self.factor[index - 1] + share * (self.factor[index] - self.factor[index - 1])


NONE = Correction()
