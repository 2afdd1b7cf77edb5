"""95% intervals of what separates simulated from live latencies, autocorrelation respected.

Errors have percentile intervals. Distances cannot be below 0, which no resampling centred on them respects,
so theirs come from the resampled difference of the two CDFs about the observed one: by the triangle
inequality the true distance is within its 95th percentile (Bühlmann 1994, Annals of Statistics 22, for
blocks and empirical processes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simcore.metrics import Floats
from validate.compare.block_length import block_length
from validate.compare.bootstrap import CONFIDENCE, Interval, mean_of_picks, percentile_interval, resample
from validate.compare.distance import kolmogorov_smirnov, pooled, statistics_of, wasserstein
from validate.compare.latencies import Samples

GRID = 500
"""Quantiles of all values at which CDFs are resampled."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """``errors`` are simulated - live in seconds and ``relative`` over live, both in the order of STATISTICS.

    ``block`` is the mean block length in requests, the longest that any repetition asks for.
    """

    block: float
    errors: list[Interval]
    relative: list[Interval]
    kolmogorov_smirnov: Interval
    wasserstein: Interval


def intervals(samples: Samples, seed: int, resamples: int) -> Intervals:
    """All intervals of one stream and metric; every repetition has at least one request."""
    block = longest_block((*samples.live, *samples.simulated))
    sides = [samples.live, samples.simulated]
    drawn = resample(sides, block, statistics_of, seed, resamples)
    live, simulated = (mean_of_picks(side, seed) for side in drawn)
    errors = simulated - live
    relative = np.divide(errors, live, out=np.full_like(errors, np.nan), where=live > 0)
    ks, area = _distance_intervals(samples, block, seed, resamples)
    return Intervals(
        block=block,
        errors=[percentile_interval(column) for column in errors.T],
        relative=[percentile_interval(column) for column in relative.T],
        kolmogorov_smirnov=ks,
        wasserstein=area,
    )


def longest_block(series: Sequence[Floats]) -> float:
    """The longest that any of the series asks for: too long a block costs less than too short a one."""
    return max(block_length(one) for one in series)


def _distance_intervals(
    samples: Samples, block: float, seed: int, resamples: int
) -> tuple[Interval, Interval]:
    live, simulated = pooled(samples.live), pooled(samples.simulated)
    everything = np.concatenate([live, simulated])
    grid = np.unique(np.quantile(everything, np.linspace(0, 1, GRID), method="inverted_cdf"))
    strays = np.abs(_strays(samples, grid, block, seed, resamples))
    far_ks = float(np.quantile(strays.max(axis=1), CONFIDENCE))
    far_area = float(np.quantile(strays[:, :-1] @ np.diff(grid), CONFIDENCE))
    ks, area = kolmogorov_smirnov(live, simulated), wasserstein(live, simulated)
    return (max(0.0, ks - far_ks), min(1.0, ks + far_ks)), (max(0.0, area - far_area), area + far_area)


def _strays(samples: Samples, grid: Floats, block: float, seed: int, resamples: int) -> Floats:
    """How far the difference of the two CDFs on the grid is off the observed one, a row a resample."""

    def cdf(rows: Floats) -> Floats:
        """From rows of places on the grid."""
        flat = rows.astype(np.intp) + grid.size * np.arange(rows.shape[0])[:, None]
        counts = np.bincount(flat.ravel(), minlength=rows.shape[0] * grid.size)
        shares: Floats = counts.reshape(rows.shape[0], grid.size).cumsum(axis=1) / rows.shape[1]
        return shares

    sides = [
        [np.searchsorted(grid, one).astype(float) for one in side]
        for side in (samples.live, samples.simulated)
    ]
    drawn = resample(sides, block, cdf, seed, resamples)
    live, simulated = (mean_of_picks(side, seed) for side in drawn)
    observed = [np.mean([cdf(one[None, :]) for one in side], axis=0) for side in sides]
    return np.asarray((simulated - live) - (observed[1] - observed[0]), dtype=float)
