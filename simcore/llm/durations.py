"""StepDurations: how long each step of a replica takes, residual included; and runs of steps at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simcore.profile.residuals import residual_factors
from simcore.profile.steptime import StepTime
from simcore.step import Step

_CHUNK = 4096


class StepRun(Protocol):
    """A run of pure decode steps: ``steps`` of them take ``total`` seconds."""

    steps: int
    total: float

    def end_of_step_at(self, work: float) -> tuple[int, float]:
        """The number of the step under way after ``work`` seconds, counted from 1, and when it ends."""


class LinearRun:
    """Steps of which each takes ``increment`` seconds more than the one before: an arithmetic series."""

    __slots__ = ("_first", "_increment", "steps", "total")

    def __init__(self, first: float, increment: float, steps: int) -> None:
        self._first = first
        self._increment = increment
        self.steps = steps
        self.total = self._until(steps)

    def end_of_step_at(self, work: float) -> tuple[int, float]:
        """Solve ``until(n) >= work`` for the least n, from the quadratic's root."""
        linear = self._first - self._increment / 2
        # In this form nothing cancels, however small the increment: the root is good to some ulps.
        root = 2 * work / (linear + sqrt(linear * linear + 2 * self._increment * work))
        step = min(max(1, int(root)), self.steps)
        while step < self.steps and self._until(step) < work:
            step += 1
        return step, self._until(step)

    def _until(self, steps: int) -> float:
        return steps * self._first + self._increment * (steps * (steps - 1) / 2)


class SampledRun:
    """Steps whose ends, seconds from the start, were drawn."""

    __slots__ = ("_ends", "steps", "total")

    def __init__(self, ends: NDArray[np.float64]) -> None:
        self._ends = ends
        self.steps = len(ends)
        self.total = float(ends[-1])

    def end_of_step_at(self, work: float) -> tuple[int, float]:
        """The first drawn end at or after ``work``."""
        index = min(int(np.searchsorted(self._ends, work)), self.steps - 1)
        return index + 1, float(self._ends[index])


class StepFactors:
    """Factors drawn from ``residuals``, quantiles as in a profile, one for each number of a step.

    A step gets the same factor whether it is taken alone or in a run, and whatever happens to other
    replicas. Numbers may only rise by chunks.
    """

    def __init__(self, residuals: Sequence[float], rng: np.random.Generator) -> None:
        self._residuals = residuals
        self._rng = rng
        self._factors: NDArray[np.float64] = np.empty(0)
        self._each: list[float] = []
        """The same, for those who take one at a time."""
        self._chunk = -1
        self.drawn = bool(residuals)
        """Whether there is anything to draw; else all factors are 1."""

    def at(self, number: int) -> float:
        """The factor of the step of that number."""
        if not self.drawn:
            return 1.0
        self._draw_to(number)
        return self._each[number % _CHUNK]

    def some(self, number: int, steps: int) -> NDArray[np.float64]:
        """The factors of at most ``steps`` steps from that number on; at least one."""
        self._draw_to(number)
        start = number % _CHUNK
        return self._factors[start : start + steps]

    def each(self, number: int, steps: int) -> list[float]:
        """The same, as a list."""
        self._draw_to(number)
        start = number % _CHUNK
        return self._each[start : start + steps]

    def _draw_to(self, number: int) -> None:
        while self._chunk < number // _CHUNK:
            self._chunk += 1
            self._factors = residual_factors(self._rng, self._residuals, _CHUNK)
            self._each = self._factors.tolist()


class StepDurations:
    """Step times of one replica, each times its residual factor."""

    def __init__(self, step_time: StepTime, residuals: Sequence[float], rng: np.random.Generator) -> None:
        self._step_time = step_time
        self._decode_line = cache(step_time.decode_line)
        self._factors = StepFactors(residuals, rng)
        self.slowdown = 1.0
        """How many times longer than usual steps take."""

    def single(self, step: Step, number: int) -> float:
        """Seconds of the replica's step of that number."""
        if step.prefills:
            seconds = self._step_time(step)
        else:
            base, slope = self._decode_line(step.decodes)
            seconds = base + slope * step.decode_context
        return seconds * self.slowdown * self._factors.at(number)

    def several(self, decodes: int, context: int, number: int, steps: int) -> list[float]:
        """Seconds of each of at most ``steps`` pure decode steps from that number on, as `single` gives them.

        Each adds ``decodes`` to ``context``.
        """
        base, slope = self._decode_line(decodes)
        slowdown = self.slowdown
        contexts = range(context, context + steps * decodes, decodes)
        if not self._factors.drawn:
            return [(base + slope * read) * slowdown for read in contexts]
        factors = self._factors.each(number, steps)
        return [
            (base + slope * read) * slowdown * factor for read, factor in zip(contexts, factors, strict=False)
        ]

    def run(self, decodes: int, context: int, number: int, steps: int) -> StepRun:
        """At most ``steps`` pure decode steps from that number on; each adds ``decodes`` to ``context``."""
        base, slope = self._decode_line(decodes)
        first = self.slowdown * (base + slope * context)
        increment = self.slowdown * (slope * decodes)
        if not self._factors.drawn:
            return LinearRun(first, increment, steps)
        factors = self._factors.some(number, steps)
        return SampledRun(np.cumsum(factors * (first + increment * np.arange(len(factors)))))
