"""Goodput timeline: answers within their SLO over time, through the faults that befall backends."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from simcore.metrics import LATENCIES, late, limits
from simcore.request import Outcome
from simsage.figures.source import Source
from simsage.figures.style import canvas, legend_above, line

BINS = 60
COLUMNS = ["stream", "parent_id", "outcome", "finished_s", *(f"{name}_s" for name in LATENCIES)]


def caption(source: Source) -> str:
    """What the figure shows, in a sentence."""
    return (
        "Requests answered within their SLO, by when they were answered, mean over replications; "
        "grey lines are where faults that have a given time begin."
    )


def draw(source: Source) -> Figure | None:
    """Draw it, or give None where the scenario has no faults."""
    faults = source.document.faults
    if not faults.any:
        return None
    figure, axes = canvas(2.4)
    edges = np.linspace(0.0, source.document.duration_s, BINS + 1)
    for index, variant in enumerate(source.summary.variants):
        axes.stairs(_goodput(source, variant, edges), edges, label=variant, **line(index))
    for at in sorted({event.at_s for event in (*faults.events, *faults.control_plane)}):
        axes.axvline(at, color="grey", linewidth=0.8)
    _label(axes)
    legend_above(axes, len(source.summary.variants))
    return figure


def _label(axes: Axes) -> None:
    axes.set(xlabel="Time (s)", ylabel="Goodput (req/s)")
    axes.set_ylim(bottom=0)


def _goodput(source: Source, variant: str, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    frame = source.requests(COLUMNS, variant)
    good = (frame["parent_id"] < 0) & (frame["outcome"] == Outcome.COMPLETED.value)
    for name, stream in source.document.streams.items():
        for metric, limit in limits(stream.slo).items():
            good &= ~((frame["stream"] == name) & late(frame[f"{metric}_s"].to_numpy(), limit))
    counts, _ = np.histogram(frame.loc[good, "finished_s"], edges)
    return counts / np.diff(edges) / source.document.replications
