"""One look for all figures: a print column wide, colour-blind safe, readable in grey."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

WIDTH_IN = 3.4
PNG_DPI = 200

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito (2008), without its yellow, which fades on white."""
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++", "----")

KIND_COLOURS = {"LLM": COLOURS[0], "EMBEDDING": COLOURS[2], "RETRIEVER": COLOURS[4]}

_SETTINGS: dict[str, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.4,
    "text.parse_math": False,
    "pdf.fonttype": 42,
}


def styled(name: str) -> AbstractContextManager[None]:
    """The settings under which the figure ``name`` is drawn and saved."""
    context: AbstractContextManager[None] = rc_context(_SETTINGS | {"svg.hashsalt": name})
    return context


def canvas(height: float, rows: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A figure of the house's width and ``height`` inches, with ``rows`` axes below each other."""
    figure = Figure(figsize=(WIDTH_IN, height), layout="constrained")
    return figure, figure.subplots(rows, 1, **options)


def line(index: int) -> dict[str, Any]:
    """Colour and dash of the variant at ``index``; where colours come again, their dashes are others."""
    dash = LINES[(index + index // len(LINES)) % len(LINES)]
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": dash}


def bar(index: int) -> dict[str, Any]:
    """Fill and hatch of the variant at ``index``."""
    hatch = HATCHES[index % len(HATCHES)]
    return {"color": COLOURS[index % len(COLOURS)], "hatch": hatch, "edgecolor": "white", "linewidth": 0.5}


CROWDED = 300.0
"""Where an axis spans more than that factor, ticks at powers of ten alone leave room for their numbers."""


def plain_ticks(axis: Axis) -> None:
    """Give a logarithmic axis ticks that are plain numbers, also where it spans less than a decade."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1,) if high > CROWDED * low else (1, 2, 5), numticks=9))
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.set_minor_formatter(NullFormatter())


def legend_above(axes: Axes, entries: int) -> None:
    """A legend over the axes, where it cannot hide data."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(entries, 2), borderaxespad=0.2)


def save_pdf(figure: Figure, folder: Path, name: str) -> None:
    """Write NAME.pdf, the same bytes for the same figure; its fonts are TrueType, as publishers ask."""
    figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None, "Creator": None})


def save(figure: Figure, folder: Path, name: str) -> str:
    """Write NAME.svg and NAME.png, the same bytes for the same figure; give the SVG's text."""
    figure.savefig(folder / f"{name}.png", dpi=PNG_DPI, metadata={"Software": None})
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
    return (folder / f"{name}.svg").read_text(encoding="utf-8")
