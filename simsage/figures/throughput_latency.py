"""Throughput against latency over a sweep of the load, one line a variant."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simsage.figures.source import Source
from simsage.figures.style import MARKERS, canvas, legend_above, line, plain_ticks
from simsage.summary import Row


def caption(source: Source) -> str:
    """What the figure shows, in a sentence."""
    return (
        f"p99 {source.latency.upper()} ({source.stream}) against the throughput of all requests, a marker "
        f"per sweep point ({source.summary.sweep}); hollow ones are saturated, bands are 95% intervals."
    )


def draw(source: Source) -> Figure | None:
    """Draw it, or give None where the sweep is not over the load."""
    if len(source.summary.points) < 2 or source.backends_per_point is not None:
        return None
    figure, axes = canvas(2.4)
    for index, variant in enumerate(source.summary.variants):
        _line(axes, source, index, variant)
    axes.set(xlabel="Throughput (req/s)", ylabel=f"p99 {source.spoken} (ms)", yscale="log")
    plain_ticks(axes.yaxis)
    axes.set_xlim(left=0)
    legend_above(axes, len(source.summary.variants))
    return figure


def _line(axes: Axes, source: Source, index: int, variant: str) -> None:
    name = f"p99_{source.latency}_ms"
    found = (source.summary.find(variant, point, source.stream) for point in source.summary.points)
    rows = [row for row in found if row and name in row.metrics]
    totals = [source.summary.find(variant, row.point) or row for row in rows]
    throughput = [_value(row, "request_throughput") for row in totals]
    middle = [_value(row, name) for row in rows]
    low, high = np.array([_interval(row, name) for row in rows]).reshape(-1, 2).T
    look = line(index)
    axes.fill_between(throughput, low, high, color=look["color"], alpha=0.2, linewidth=0)
    axes.plot(throughput, middle, label=variant, **look)
    for x, y, row in zip(throughput, middle, totals, strict=True):
        fill = "white" if row.saturated else look["color"]
        axes.plot(x, y, MARKERS[index % len(MARKERS)], color=look["color"], markerfacecolor=fill)


def _value(row: Row, name: str) -> float:
    return row.metric(name).value or 0.0


def _interval(row: Row, name: str) -> tuple[float, float]:
    """The interval, cut where a logarithmic axis would lose it."""
    found = row.metrics[name]
    value = found.value or 0.0
    low, high = found.whole or (value, value)
    return max(low, value / 10), high
