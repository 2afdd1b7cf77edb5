"""draw: the errors of the mean and of the p99, one dot a row, by data set and metric."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.accuracy.row import Row
from simsage.figures.style import COLOURS, styled

LIMIT = 1.0
"""Errors beyond are drawn at it."""
SHOWN = ("mean", "p99")
PER_LINE = 0.22
"""Inches."""


def draw(rows: Sequence[Row], file: Path) -> None:
    """Write an SVG that is the same for the same rows."""
    lines = list(dict.fromkeys((row.data, row.metric) for row in rows))
    with styled("accuracy"):
        figure = Figure(figsize=(6.8, 0.9 + PER_LINE * len(lines)), layout="constrained")
        axes = figure.subplots()
        for place, name in enumerate(SHOWN):
            dots = [
                (row.figures[name].error, lines.index((row.data, row.metric)) + 0.3 * place - 0.15)
                for row in rows
                if name in row.figures
            ]
            errors, heights = zip(*((max(-LIMIT, min(LIMIT, e)), y) for e, y in dots), strict=True)
            axes.plot(errors, heights, "os"[place], color=COLOURS[place], alpha=0.5, label=name, markersize=3)
        axes.axvspan(-0.05, 0.05, color="0.85", zorder=0, linewidth=0)
        axes.set_yticks(range(len(lines)), [f"{data}, {metric}" for data, metric in lines])
        axes.invert_yaxis()
        axes.set_xlim(-1.05 * LIMIT, 1.05 * LIMIT)
        axes.set_xlabel("simulated over measured, less one (grey: within 5%; at the edge: 100% and more)")
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:+.0%}")
        axes.legend(loc="lower right")
        file.parent.mkdir(exist_ok=True)
        figure.savefig(file, metadata={"Date": None})
