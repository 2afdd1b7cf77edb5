"""Quantiles of live and simulated latencies, as the validation figures draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from simcore.metrics import Floats
from simsage.figures.latency_cdf import DECIMALS, LEVELS, LOG_FROM
from simsage.figures.style import plain_ticks
from simsage.formats import plain
from validate.compare.distance import kolmogorov_smirnov, pooled
from validate.compare.floor import floor_of
from validate.compare.latencies import Samples


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Milliseconds at each of ``LEVELS``; ``low`` and ``high`` are the extremes of the live repetitions."""

    live: Floats
    low: Floats
    high: Floats
    simulated: Floats

    @property
    def wide(self) -> bool:
        """Whether they span so much that they need a logarithmic axis."""
        least, most = self.ends
        return most > LOG_FROM * least > 0

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest of all."""
        everything = np.concatenate([self.low, self.high, self.simulated])
        return float(everything.min()), float(everything.max())


def quantiles_of(samples: Samples) -> Quantiles | None:
    """Means over repetitions and their extremes; None where a repetition has no request."""
    if not samples.complete:
        return None
    live = _quantiles(samples.live)
    return Quantiles(
        live=live.mean(axis=0),
        low=live.min(axis=0),
        high=live.max(axis=0),
        simulated=_quantiles(samples.simulated).mean(axis=0),
    )


def distance(samples: Samples) -> str:
    """The K-S distance and its floor in words."""
    found = kolmogorov_smirnov(pooled(samples.live), pooled(samples.simulated))
    floor = floor_of(samples.live)
    between = (
        f"up to {plain(floor.kolmogorov_smirnov)} between live repetitions" if floor else "no floor known"
    )
    return f"K-S distance {plain(found)}, {between}"


def log_axes(axes: Axes, *names: str) -> None:
    """Make the axes ``x`` or ``y`` logarithmic, with plain numbers."""
    for name in names:
        axes.set(**{f"{name}scale": "log"})
        plain_ticks(axes.xaxis if name == "x" else axes.yaxis)


def _quantiles(repetitions: Sequence[Floats]) -> Floats:
    return np.array([np.round(np.quantile(1000 * one, LEVELS), DECIMALS) for one in repetitions])
