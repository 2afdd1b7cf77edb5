"""Drawing from a profile's residual distribution: measured over fitted time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

_CHUNK = 4096


def residual_factors(rng: np.random.Generator, quantiles: Sequence[float], count: int) -> NDArray[np.float64]:
    """``count`` factors from the distribution with these evenly spaced quantiles; all 1 without any."""
    if not quantiles:
        return np.ones(count)
    return np.interp(rng.random(count) * (len(quantiles) - 1), np.arange(len(quantiles)), quantiles)


def residual_factor(rng: np.random.Generator, quantiles: Sequence[float]) -> Callable[[], float]:
    """Draws one factor at a time."""
    if not quantiles:
        return lambda: 1.0
    drawn: list[float] = []

    def draw() -> float:
        if not drawn:
            drawn.extend(residual_factors(rng, quantiles, _CHUNK).tolist())
        return drawn.pop()

    return draw
