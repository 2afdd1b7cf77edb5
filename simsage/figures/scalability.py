"""Scalability bars: throughput by the number of backends, with the speed-up over the smallest."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from simsage.figures.source import Source
from simsage.figures.style import bar, canvas, legend_above
from simsage.formats import plain
from simsage.summary import Row


def caption(source: Source) -> str:
    """What the figure shows, in a sentence."""
    return "Throughput of all requests by the number of backends; whiskers are 95% intervals."


def draw(source: Source) -> Figure | None:
    """Draw it, or give None where the sweep is not over backend counts."""
    sweep = source.document.sweep
    factor = source.backends_per_point
    if sweep is None or factor is None:
        return None
    figure, axes = canvas(2.4)
    for index, variant in enumerate(source.summary.variants):
        _bars(axes, source, index, variant)
    axes.set_xticks(range(len(sweep.points)), [f"{point * factor:,.0f}" for point in sweep.points])
    axes.set_xlabel("Backends")
    axes.set_ylabel("Throughput (req/s)")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.grid(axis="x", visible=False)
    if len(source.summary.variants) > 1:
        legend_above(axes, len(source.summary.variants))
    return figure


def _bars(axes: Axes, source: Source, index: int, variant: str) -> None:
    width = 0.8 / len(source.summary.variants)
    offset = (index - (len(source.summary.variants) - 1) / 2) * width
    for place, point in enumerate(source.summary.points):
        row = source.summary.find(variant, point)
        if row is not None:
            _one(axes, row, place + offset, width, variant if place == 0 else "", index)


def _one(axes: Axes, row: Row, x: float, width: float, label: str, index: int) -> None:
    found = row.metric("request_throughput")
    height = found.value or 0.0
    axes.bar(x, height, width, label=label or None, **bar(index))
    half = found.half_width or 0.0
    axes.errorbar(x, height, yerr=half, color="black", capsize=1.5, linewidth=0.8)
    axes.annotate(
        plain(height), (x, height + half), (0, 2), textcoords="offset points", ha="center", fontsize=6
    )
