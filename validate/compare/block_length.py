"""The block length that the series itself asks for.

Politis, White (2004), Automatic block-length selection for the dependent bootstrap, Econometric Reviews 23;
with the correction of Patton, Politis, White (2009), Econometric Reviews 28. Symbols are theirs.
"""

from __future__ import annotations

from math import ceil, log10, sqrt

import numpy as np

from simcore.metrics import Floats

SIGNIFICANCE = 2.0
"""Their c: an autocorrelation below c sqrt(log10(N) / N) is taken for none."""


def block_length(series: Floats) -> float:
    """Mean block length, in elements, with which the stationary bootstrap judges the series' mean best.

    1 for a series without autocorrelation or of less than 10 elements.
    """
    n = series.size
    if n < 10 or np.ptp(series) <= 1e-12 * abs(float(series.mean())):
        return 1.0
    run = max(5, int(log10(n)))
    covariances = _autocovariances(series, min(n - 1, ceil(sqrt(n)) + run))
    bandwidth = min(2 * max(1, _last_significant(covariances, n, run)), covariances.size - 1)
    lags = np.arange(1, bandwidth + 1)
    weighted = _flat_top(lags / bandwidth) * covariances[1 : bandwidth + 1]
    slope, density = 2 * float(weighted @ lags), float(covariances[0] + 2 * weighted.sum())
    most = ceil(min(3 * sqrt(n), n / 3))
    if density <= 0:
        return float(most)
    return min(max(1.0, float(np.cbrt(slope**2 / density**2 * n))), float(most))


def _autocovariances(series: Floats, most: int) -> Floats:
    """R(0) to R(most)."""
    centred, n = series - series.mean(), series.size
    return np.array([centred[lag:] @ centred[: n - lag] for lag in range(most + 1)]) / n


def _last_significant(covariances: Floats, n: int, run: int) -> int:
    """Their m: the lag after which ``run`` autocorrelations in a row are none; all lags if there is none."""
    small = np.abs(covariances[1:] / covariances[0]) < SIGNIFICANCE * sqrt(log10(n) / n)
    runs = np.lib.stride_tricks.sliding_window_view(small, run).all(axis=1)
    return int(np.argmax(runs)) if runs.any() else small.size


def _flat_top(t: Floats) -> Floats:
    """The trapezoid lag window: 1 up to 1/2, then down to 0 at 1."""
    window: Floats = np.clip(2 * (1 - t), 0, 1)
    return window
