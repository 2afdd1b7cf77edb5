"""How far two sets of latencies are apart: their means and percentiles, Kolmogorov-Smirnov, Wasserstein-1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from scipy.stats import ks_2samp, wasserstein_distance

from simcore.metrics import Floats

Statistic = Literal["mean", "p50", "p90", "p95", "p99"]
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)
PERCENTILES = (50, 90, 95, 99)


def statistics_of(values: Floats) -> Floats:
    """``STATISTICS`` along the last axis, which they replace; percentiles interpolate linearly."""
    points = np.moveaxis(np.percentile(values, PERCENTILES, axis=-1), 0, -1)
    return np.concatenate([values.mean(axis=-1, keepdims=True), points], axis=-1)


def mean_statistics(repetitions: Sequence[Floats]) -> Floats:
    """The mean over repetitions of each of ``STATISTICS``, in the unit of the values."""
    means: Floats = np.mean([statistics_of(one) for one in repetitions], axis=0)
    return means


def kolmogorov_smirnov(one: Floats, other: Floats) -> float:
    """The largest distance of the two empirical CDFs, 0 to 1."""
    with np.errstate(divide="ignore"):  # its p value, which nobody asks for, divides by 0 for tiny samples
        return float(ks_2samp(one, other, method="asymp").statistic)


def wasserstein(one: Floats, other: Floats) -> float:
    """The area between the two empirical CDFs, in the unit of the values: how far a request moves."""
    return float(wasserstein_distance(one, other))


def pooled(repetitions: Sequence[Floats]) -> Floats:
    """All values of all repetitions."""
    return np.concatenate(list(repetitions))
