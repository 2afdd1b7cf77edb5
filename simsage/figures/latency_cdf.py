"""Latency CDF: one line a variant, with the 95% interval of each quantile over replications."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from simcore.metrics import Floats
from simsage.figures.source import Source
from simsage.figures.style import canvas, legend_above, line, plain_ticks
from simsage.metrics import ALL
from simsage.statistics import estimate

LEVELS = np.concatenate([np.linspace(0.0, 0.99, 100), np.linspace(0.991, 0.999, 9)])
DECIMALS = 6
LOG_FROM = 30.0
"""Quantiles that span more than this factor go on a logarithmic axis."""


def caption(source: Source) -> str:
    """What the figure shows, in a sentence."""
    of = "all streams together" if source.stream == ALL else f"stream {source.stream}"
    return f"{source.latency.upper()} of completed requests, {of}; bands are 95% intervals over replications."


def draw(source: Source) -> Figure | None:
    """Draw it, or give None where no variant has such a latency."""
    curves = [(index, name, _quantiles(source, name)) for index, name in enumerate(source.summary.variants)]
    known = [(index, name, curve) for index, name, curve in curves if curve is not None]
    if not known:
        return None
    figure, axes = canvas(2.4)
    for index, name, (middle, low, high) in known:
        axes.fill_betweenx(LEVELS, low, high, color=line(index)["color"], alpha=0.2, linewidth=0)
        axes.plot(middle, LEVELS, label=name, **line(index))
    everything = np.concatenate([curve[0] for _, _, curve in known])
    positive = everything[everything > 0]
    if positive.size and positive.max() > LOG_FROM * positive.min():
        axes.set_xscale("log")
        plain_ticks(axes.xaxis)
    axes.set(xlabel="Latency (ms)", ylabel="CDF", ylim=(0, 1.02))
    legend_above(axes, len(known))
    return figure


def _quantiles(source: Source, variant: str) -> tuple[Floats, Floats, Floats] | None:
    """Mean, low and high of each level's latency in milliseconds over the replications."""
    column = f"{source.latency}_s"
    frame = source.requests(["stream", "replication", "counted", column], variant)
    rows = frame["counted"] & frame[column].notna()
    if source.stream != ALL:
        rows &= frame["stream"] == source.stream
    groups = frame[rows].groupby("replication")[column]
    curves = [np.round(np.quantile(values.to_numpy() * 1000, LEVELS), DECIMALS) for _, values in groups]
    return _band(np.array(curves)) if curves else None


def _band(curves: Floats) -> tuple[Floats, Floats, Floats]:
    found = [estimate(list(level)) for level in curves.T]
    middle = np.array([one.value for one in found], dtype=float)
    low = np.array([one.ci95[0] if one.ci95 else one.value for one in found], dtype=float)
    high = np.array([one.ci95[1] if one.ci95 else one.value for one in found], dtype=float)
    return middle, np.clip(low, 0.0, None), high
