"""Regime map: the ratio of each hypothesis as a heat map over total rate and share of embeddings."""

from __future__ import annotations

from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simcore.scenario.document import VerdictSpec
from simsage.figures.style import canvas
from simsage.paper.facts import Facts
from simsage.paper.regime import Regime, regimes
from simsage.verdict import spoken

COLUMNS = 2
DARK = 0.25
"""Colours further from the middle than that part of the scale have white text."""
LIMIT = 2.0
"""Ratios beyond it, or below its inverse, have the scale's last colour."""
TEXT_PT = 5.5
MARKS: dict[str, dict[str, Any]] = {
    "gain": {"edgecolor": "black", "linewidth": 0.9},
    "loss": {"edgecolor": "black", "linewidth": 0.7, "linestyle": ":"},
}
"""Frames, since in grey a gain's colour is a loss's."""
_SCALE = colormaps["PuOr_r"]
_NORM = TwoSlopeNorm(1.0, 1 / LIMIT, LIMIT)


def caption(facts: Facts) -> str:
    """What the figure shows, in a sentence."""
    return (
        "Paired ratio of unified over separate by total request rate and share of embeddings: framed is a "
        "gain, dotted a loss, white no effect shown (the 95% interval includes 1)."
    )


def draw(facts: Facts) -> Figure | None:
    """A panel for each hypothesis, two in a row."""
    specs = facts.experiment.hypotheses
    rows = -(-len(specs) // COLUMNS)
    figure, _ = canvas(0.3 + 1.35 * rows, rows=1)
    figure.clear()
    panels = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True, sharey=True)
    for axes, spec in zip(panels.flat, specs, strict=False):
        _panel(axes, spec, regimes(facts, spec))
    for axes in panels[-1]:
        axes.set_xlabel("Rate (req/s)")
    for axes in panels[:, 0]:
        axes.set_ylabel("Embeddings")
    return figure


def _panel(axes: Axes, spec: VerdictSpec, found: list[Regime]) -> None:
    rates = sorted({one.rate for one in found})
    shares = sorted({one.share for one in found})
    for one in found:
        _cell(axes, rates.index(one.rate), shares.index(one.share), one)
    place = spec.variant.removeprefix("unified ")
    axes.set_title(f"{spoken(spec)} of {spec.stream}\n{place}", fontsize=7)
    axes.set(xlim=(-0.5, len(rates) - 0.5), ylim=(-0.5, len(shares) - 0.5))
    axes.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    axes.set_yticks(range(len(shares)), [f"{share:.0%}" for share in shares])
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _cell(axes: Axes, x: int, y: int, one: Regime) -> None:
    ratio = one.judgement.ratio.value
    if ratio is None:
        axes.text(x, y, "–", ha="center", va="center", fontsize=TEXT_PT)
        return
    where = float(_NORM(min(max(ratio, 1 / LIMIT), LIMIT)))
    fill = "white" if one.kind == "tie" else _SCALE(where)
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=fill, edgecolor="#BBBBBB", linewidth=0.3))
    if mark := MARKS.get(one.kind):
        axes.add_patch(Rectangle((x - 0.44, y - 0.44), 0.88, 0.88, fill=False, **mark))
    dark = one.kind != "tie" and abs(where - 0.5) > DARK
    colour = "white" if dark else "black"
    axes.text(x, y, f"{ratio:.2f}", ha="center", va="center", fontsize=TEXT_PT, color=colour)
