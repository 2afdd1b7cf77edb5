"""predictive: the interval in which one more run is, from runs that differ by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t


def predictive(values: ArrayLike) -> tuple[float, float]:
    """Student's 95% interval for one more value; shape (n,), n at least 2."""
    drawn = np.asarray(values, dtype=float)
    half = t.ppf(0.975, len(drawn) - 1) * drawn.std(ddof=1) * np.sqrt(1 + 1 / len(drawn))
    return float(drawn.mean() - half), float(drawn.mean() + half)
