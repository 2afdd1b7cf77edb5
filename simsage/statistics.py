"""Estimates over replications: means and paired ratios with their 95% intervals, percentiles, fairness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, inf, nan, sqrt

import numpy as np
from scipy.special import stdtrit

from simcore.metrics import ROUNDING, Floats

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

    @property
    def whole(self) -> tuple[float, float] | None:
        """The 95% interval of all that is known to be uncertain: here chance alone."""
        return self.ci95


NOTHING = Estimate(None, None, 0)
"""An estimate of what no replication has."""


def estimate(values: Sequence[float]) -> Estimate:
    """Mean of independent replications with its Student t interval; NaN means no value in that one."""
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    if known.size == 0:
        return NOTHING
    mean = float(known.mean())
    if known.size == 1:
        return Estimate(mean, None, 1)
    half = _quantile(known.size - 1) * _deviation(known) / sqrt(known.size)
    return Estimate(mean, (mean - half, mean + half), int(known.size))


def paired_difference(values: Sequence[float], baseline: Sequence[float]) -> Estimate:
    """The mean of value - baseline over replications that share their random numbers.

    Two values that differ by rounding alone do not differ. Without a value where any pair has none: leaving
    that pair out would bias the difference.
    """
    above, below = np.asarray(values, dtype=float), np.asarray(baseline, dtype=float)
    if above.size != below.size or bool(np.isnan([above, below]).any()):
        return NOTHING
    return estimate(list(_but_for_rounding(above - below, below)))


def unpaired_difference(values: Sequence[float], baseline: Sequence[float]) -> Estimate:
    """The difference of the means of independent replications, with Welch's t interval (Welch 1947).

    ``replications`` is the number of the side with fewer. Without a value where any replication has none.
    """
    sides = [np.asarray(side, dtype=float) for side in (values, baseline)]
    fewest = min(side.size for side in sides)
    if fewest == 0 or any(bool(np.isnan(side).any()) for side in sides):
        return NOTHING
    means = [side.mean() for side in sides]
    mean = float(_but_for_rounding(means[0] - means[1], means[1]))
    if fewest == 1:
        return Estimate(mean, None, 1)
    shares = [_deviation(side) ** 2 / side.size for side in sides]
    spread = sum(shares)
    unsure = sum(share**2 / (side.size - 1) for share, side in zip(shares, sides, strict=True))
    half = _quantile(spread**2 / unsure) * sqrt(spread) if unsure else 0.0
    return Estimate(mean, (mean - half, mean + half), fewest)


def paired_ratio(values: Sequence[float], baseline: Sequence[float]) -> Estimate:
    """The geometric mean of value / baseline over replications that share their random numbers.

    The interval is the t interval of the mean log ratio, exponentiated. Without a value where any
    pair has none or is not positive: leaving that pair out would bias the ratio. Two values that differ by
    rounding alone do not differ.
    """
    above, below = np.asarray(values, dtype=float), np.asarray(baseline, dtype=float)
    if above.size != below.size or not _positive(above, below):
        return NOTHING
    alike = _but_for_rounding(above - below, below) == 0
    return _exponentiated(estimate(list(np.where(alike, 0.0, np.log(above / below)))))


def unpaired_ratio(values: Sequence[float], baseline: Sequence[float]) -> Estimate:
    """The ratio of the geometric means of independent replications, from Welch's interval of the logs."""
    above, below = np.asarray(values, dtype=float), np.asarray(baseline, dtype=float)
    if not _positive(above, below):
        return NOTHING
    return _exponentiated(unpaired_difference(list(np.log(above)), list(np.log(below))))


def _positive(*sides: Floats) -> bool:
    return all(side.size > 0 and bool(np.all(side > 0)) for side in sides)


def _exponentiated(logs: Estimate) -> Estimate:
    assert logs.value is not None
    interval = None if logs.ci95 is None else (exp(logs.ci95[0]), exp(logs.ci95[1]))
    return Estimate(exp(logs.value), interval, logs.replications)


def _but_for_rounding(difference: Floats, baseline: Floats) -> Floats:
    return np.where(np.abs(difference) <= ROUNDING * np.abs(baseline), 0.0, difference)


def _deviation(values: Floats) -> float:
    """The standard deviation of a sample; 0 where it varies by rounding alone."""
    return float(values.std(ddof=1)) if np.ptp(values) > NOISE * abs(values.mean()) else 0.0


def _quantile(freedom: float) -> float:
    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))


def describe(values: Floats) -> dict[str, float]:
    """mean, median, std and percentiles by vLLM's names; all NaN without values.

    Percentiles interpolate linearly between order statistics (numpy's default, as vLLM's benchmark does).
    """
    if values.size == 0:
        return dict.fromkeys(statistic_names(), float("nan"))
    points = np.percentile(values, PERCENTILES)
    head = (float(values.mean()), float(points[0]), float(values.std()))
    return dict(zip(statistic_names(), (*head, *map(float, points)), strict=True))


def percentiles_with_lost(values: Floats, lost: int) -> dict[str, float]:
    """median and percentiles by vLLM's names of ``values`` and of ``lost`` more, each later than any of them.

    Infinite where a percentile lies among the lost, or between them and the last that is known.
    """
    names = ("median", *(f"p{point}" for point in PERCENTILES))
    ranked, count = np.sort(values), values.size + lost
    found = {}
    for name, point in zip(names, (50, *PERCENTILES), strict=True):
        place = (count - 1) * point / 100
        low = int(place)
        if ceil(place) >= ranked.size:
            found[name] = inf if count else nan
        else:
            share = place - low
            found[name] = float(ranked[low] + share * (ranked[ceil(place)] - ranked[low]))
    return found


def statistic_names() -> tuple[str, ...]:
    """The names that `describe` gives, in its order."""
    return ("mean", "median", "std", *(f"p{point}" for point in PERCENTILES))


def jain(shares: Sequence[float]) -> float:
    """Jain's index (Jain, Chiu, Hawe 1984): (sum x)^2 / (n sum x^2), from 1/n to 1, which is fair."""
    values = np.asarray(shares, dtype=float)
    squares = float((values**2).sum())
    return float(values.sum()) ** 2 / (values.size * squares) if squares > 0 else float("nan")
