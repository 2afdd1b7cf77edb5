"""Allowance: how long a calibration may take, and until when the stage under way may."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

Clock = Callable[[], float]

FITTING = 15.0
"""Seconds kept for what follows the measuring: backends that stop, the fits and their intervals."""
LARGEST_PART = 0.25
"""Of all the time, that much at most is kept for it."""


class Allowance:
    """Counts down from the moment that it is made; ``minutes`` None is as long as it takes.

    ``clock`` gives seconds. Times that are left are in seconds, below zero once they are over.
    """

    def __init__(self, minutes: float | None = None, clock: Clock = time.monotonic) -> None:
        self.minutes = minutes
        self.clock = clock
        seconds = inf if minutes is None else 60.0 * minutes
        self._end = clock() + seconds - min(FITTING, LARGEST_PART * seconds)
        self._stage_end = self._end

    @property
    def limited(self) -> bool:
        """Whether there is an end."""
        return self.minutes is not None

    @property
    def left(self) -> float:
        """Seconds left to measure in."""
        return self._end - self.clock()

    @property
    def stage_left(self) -> float:
        """Seconds left to the stage under way."""
        return self._stage_end - self.clock()

    def allot(self, seconds: float) -> None:
        """Give the stage that begins now so many of the seconds that are left."""
        self._stage_end = min(self._end, self.clock() + seconds)
