"""Validation CDF: simulated over live latencies, with the range of the live repetitions as a band."""

from __future__ import annotations

from matplotlib.figure import Figure

from simsage.figures.latency_cdf import LEVELS
from simsage.figures.style import canvas, legend_above
from simsage.figures.validation_quantiles import distance, log_axes, quantiles_of
from simsage.figures.validation_sides import BAND, LIVE, SIMULATED, band_of
from validate.compare.latencies import Samples


def caption(samples: Samples) -> str:
    """What the figure shows, in a sentence."""
    return (
        f"{samples.metric.upper()} of {samples.stream}, live and simulated; {band_of(len(samples.live))}. "
        f"{distance(samples)}."
    )


def draw(samples: Samples) -> Figure | None:
    """Draw it, or give None where a repetition has no such latency."""
    found = quantiles_of(samples)
    if found is None:
        return None
    figure, axes = canvas(2.4)
    axes.fill_betweenx(LEVELS, found.low, found.high, **BAND)
    axes.plot(found.live, LEVELS, **LIVE)
    axes.plot(found.simulated, LEVELS, **SIMULATED)
    if found.wide:
        log_axes(axes, "x")
    axes.set(xlabel=f"{samples.metric.upper()} of {samples.stream} (ms)", ylabel="CDF", ylim=(0, 1.02))
    legend_above(axes, 2)
    return figure
