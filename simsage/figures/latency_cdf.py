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
    wide = _spans_decades([curve for _, _, curve in known])
    for index, name, curve in known:
        middle, low, high = _band(curve, wide)
        axes.fill_betweenx(LEVELS, low, high, color=line(index)["color"], alpha=0.2, linewidth=0)
        axes.plot(middle, LEVELS, label=name, **line(index))
    if wide:
        axes.set_xscale("log")
        plain_ticks(axes.xaxis)
    axes.set(xlabel=f"{source.spoken} (ms)", ylabel="CDF", ylim=(0, 1.02))
    legend_above(axes, len(known))
    return figure


def _quantiles(source: Source, variant: str) -> Floats | None:
    """Each level's latency in milliseconds, a row a replication."""
    column = f"{source.latency}_s"
    frame = source.requests(["stream", "replication", "counted", column], variant)
    rows = frame["counted"] & frame[column].notna()
    if source.stream != ALL:
        rows &= frame["stream"] == source.stream
    groups = frame[rows].groupby("replication")[column]
    curves = [np.round(np.quantile(values.to_numpy() * 1000, LEVELS), DECIMALS) for _, values in groups]
    return np.array(curves) if curves else None


def _spans_decades(curves: list[Floats]) -> bool:
    levels = np.concatenate([curve.mean(axis=0) for curve in curves])
    return all((curve > 0).all() for curve in curves) and bool(levels.max() > LOG_FROM * levels.min())


def _band(curves: Floats, logarithmic: bool) -> tuple[Floats, Floats, Floats]:
    """Mean, low and high of each level over the replications, of the logarithms where the axis has them."""
    found = [estimate(list(level)) for level in (np.log(curves) if logarithmic else curves).T]
    middle = np.array([one.value for one in found], dtype=float)
    low = np.array([one.ci95[0] if one.ci95 else one.value for one in found], dtype=float)
    high = np.array([one.ci95[1] if one.ci95 else one.value for one in found], dtype=float)
    if logarithmic:
        return np.exp(middle), np.exp(low), np.exp(high)
    return middle, np.clip(low, 0.0, None), high
