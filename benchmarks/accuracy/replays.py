"""Intervals in which one more run is, from runs that differ by chance and by the members of an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import numpy as np
from scipy.stats import t

CONFIDENCE = 0.95
Interval = tuple[float, float]


def predictive(values: Sequence[float], differences: Sequence[float] = ()) -> Interval:
    """For one more value like ``values``, about their mean; shape (n,), n at least 2.

    Student's interval of chance, and, its square added, what a calibration leaves open: ``differences`` are
    the members' from the best fit.
    """
    drawn = np.asarray(values, dtype=float)
    chance = _quantile(len(drawn) - 1) * float(drawn.std(ddof=1)) * np.sqrt(1 + 1 / len(drawn))
    return _around(float(drawn.mean()), hypot(chance, left_open(differences)))


def of_members(value: float, differences: Sequence[float]) -> Interval:
    """About the ``value`` of a run in which nothing is left to chance but what the members differ by."""
    return _around(value, left_open(differences))


def left_open(differences: Sequence[float]) -> float:
    """Half of the 95% interval that draws from a distribution about 0 tell of one more; 0 without draws."""
    if not len(differences):
        return 0.0
    return _quantile(len(differences)) * float(np.sqrt(np.mean(np.square(differences))))


def _quantile(freedom: int) -> float:
    return float(t.ppf((1 + CONFIDENCE) / 2, freedom))


def _around(value: float, half: float) -> Interval:
    return value - half, value + half
