"""Latency parts: where the time went of requests at the median and in the tail, a bar a variant."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simsage.breakdown import AROUND, PARTS, Split
from simsage.figures.source import Source
from simsage.figures.style import COLOURS, HATCHES, canvas
from simsage.formats import plain
from simsage.statistics import estimate

LEAST = 0.005
"""Of the longest bar; a part that is below it in all bars is not shown."""
GREY = "#999999"
LOOKS: dict[str, dict[str, Any]] = {
    name: {"color": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0.3}
    for name, colour, hatch in zip(PARTS, (*COLOURS, GREY, "#DDDDDD"), (*HATCHES, "||||", ""), strict=True)
}


def caption(source: Source) -> str:
    """What the figure shows, in a sentence."""
    where = f", {source.where()}" if source.where() else ""
    return (
        f"Mean parts of the {source.spoken_split} of requests around the median, p90 and p99{where}; "
        "interference is what other work on the device cost."
    )


def draw(source: Source) -> Figure | None:
    """Draw it, or give None where no request completed."""
    bars = _bars(source)
    if not bars:
        return None
    longest = max(sum(parts.values()) for _, _, parts in bars)
    shown = [name for name in PARTS if any(parts[name] >= LEAST * longest for _, _, parts in bars)]
    figure, axes = canvas(0.85 + 0.12 * len(shown) / 3 + 0.17 * len(bars))
    places = [-(index + 0.6 * (index // len(source.summary.variants))) for index in range(len(bars))]
    for place, (_, _, parts) in zip(places, bars, strict=True):
        _bar(axes, place, parts, shown, longest)
    axes.set_yticks(places, [f"{variant}, p{level}" for level, variant, _ in bars])
    axes.set(xlabel=f"{source.spoken_split} (ms)", xlim=(0, 1.15 * longest), ylim=(places[-1] - 0.8, 0.8))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    handles = [axes.barh(0, 0, label=name, **LOOKS[name]) for name in shown]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure


def _bars(source: Source) -> list[tuple[int, str, dict[str, float]]]:
    found = {name: _mean(source.splits(name)) for name in source.summary.variants}
    return [(level, name, one[level]) for level in AROUND for name, one in found.items() if level in one]


def _mean(splits: list[Split]) -> Split:
    known = [one for one in splits if one]
    return {
        level: {name: estimate([one[level][name] for one in known]).value or 0.0 for name in PARTS}
        for level in AROUND
        if known
    }


def _bar(axes: Axes, place: float, parts: dict[str, float], shown: list[str], longest: float) -> None:
    left = 0.0
    for name in shown:
        axes.barh(place, parts[name], 0.8, left, **LOOKS[name])
        left += parts[name]
    whole = sum(parts.values())
    axes.text(left + 0.01 * longest, place, plain(whole), va="center", fontsize=6)
