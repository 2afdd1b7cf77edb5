"""Validation Q-Q: each simulated quantile against the live one; on the diagonal they are the same."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simsage.figures.latency_cdf import LEVELS
from simsage.figures.style import MARKERS, canvas, legend_above
from simsage.figures.validation_quantiles import Quantiles, log_axes, quantiles_of
from simsage.figures.validation_sides import BAND, LIVE, SIMULATED, band_of
from validate.compare.distance import PERCENTILES
from validate.compare.latencies import Samples

MARGIN = 1.05


def caption(samples: Samples) -> str:
    """What the figure shows, in a sentence."""
    return (
        f"Quantiles of {samples.metric.upper()} of {samples.stream}, simulated against live; "
        f"{band_of(len(samples.live))}."
    )


def draw(samples: Samples) -> Figure | None:
    """Draw it, or give None where a repetition has no such latency."""
    found = quantiles_of(samples)
    if found is None:
        return None
    figure, axes = canvas(3.0)
    axes.fill_between(found.live, found.low, found.high, **BAND)
    axes.plot(found.live, found.live, **LIVE | {"linewidth": 0.8})
    axes.plot(found.live, found.simulated, **SIMULATED)
    _mark(axes, found)
    if found.wide:
        log_axes(axes, "x", "y")
    least, most = found.ends
    ends = (least / MARGIN, most * MARGIN)
    axes.set(xlabel="Live (ms)", ylabel="Simulated (ms)", xlim=ends, ylim=ends)
    axes.set_aspect("equal")
    legend_above(axes, 2)
    return figure


def _mark(axes: Axes, found: Quantiles) -> None:
    """The percentiles that the verdict judges, by name, on the side away from the diagonal."""
    for number, percentile in enumerate(PERCENTILES):
        place = int(np.argmin(np.abs(LEVELS - percentile / 100)))
        at = (found.live[place], found.simulated[place])
        axes.plot(*at, MARKERS[number], color=SIMULATED["color"])
        above = at[1] >= at[0]
        offset, side = ((-5, 4), "right") if above else ((5, -8), "left")
        axes.annotate(f"p{percentile}", at, offset, textcoords="offset points", fontsize=6, ha=side)
