"""Estimates over replications: means and paired ratios with their 95% intervals, percentiles, fairness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np
from scipy.special import stdtrit

from simcore.metrics import Floats

PERCENTILES = (50, 90, 95, 99)
CONFIDENCE = 0.95
NOISE = 1e-12
"""Relative differences below it are of rounding, not of the replications."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over replications. ``ci95`` is None where one replication leaves nothing to judge by."""

    value: float | None
    ci95: tuple[float, float] | None
    replications: int

    @property
    def half_width(self) -> float | None:
        """Half the length of the interval, in the unit of the value."""
        return None if self.ci95 is None else (self.ci95[1] - self.ci95[0]) / 2


def estimate(values: Sequence[float]) -> Estimate:
    """Mean of independent replications with its Student t interval; NaN means no value in that one."""
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    if known.size == 0:
        return Estimate(None, None, 0)
    mean = float(known.mean())
    if known.size == 1:
        return Estimate(mean, None, 1)
    spread = known.std(ddof=1) if np.ptp(known) > NOISE * abs(mean) else 0.0
    half = float(stdtrit(known.size - 1, (1 + CONFIDENCE) / 2) * spread / sqrt(known.size))
    return Estimate(mean, (mean - half, mean + half), int(known.size))


def paired_ratio(values: Sequence[float], baseline: Sequence[float]) -> Estimate:
    """The geometric mean of value / baseline over replications that share their random numbers.

    The interval is the t interval of the mean log ratio, exponentiated. Without a value where any
    pair has none or is not positive: leaving that pair out would bias the ratio.
    """
    above, below = np.asarray(values, dtype=float), np.asarray(baseline, dtype=float)
    paired = above.size == below.size > 0
    if not paired or not bool(np.all((above > 0) & (below > 0))):
        return Estimate(None, None, 0)
    logs = estimate(list(np.log(above / below)))
    assert logs.value is not None
    interval = None if logs.ci95 is None else (exp(logs.ci95[0]), exp(logs.ci95[1]))
    return Estimate(exp(logs.value), interval, logs.replications)


def describe(values: Floats) -> dict[str, float]:
    """mean, median, std and percentiles by vLLM's names; all NaN without values.

    Percentiles interpolate linearly between order statistics (numpy's default, as vLLM's benchmark does).
    """
    if values.size == 0:
        return dict.fromkeys(statistic_names(), float("nan"))
    points = np.percentile(values, PERCENTILES)
    head = (float(values.mean()), float(points[0]), float(values.std()))
    return dict(zip(statistic_names(), (*head, *map(float, points)), strict=True))


def statistic_names() -> tuple[str, ...]:
    """The names that `describe` gives, in its order."""
    return ("mean", "median", "std", *(f"p{point}" for point in PERCENTILES))


def jain(shares: Sequence[float]) -> float:
    """Jain's index (Jain, Chiu, Hawe 1984): (sum x)^2 / (n sum x^2), from 1/n to 1, which is fair."""
    values = np.asarray(shares, dtype=float)
    squares = float((values**2).sum())
    return float(values.sum()) ** 2 / (values.size * squares) if squares > 0 else float("nan")
