"""Resource efficiency: how busy the backends were and how full their batches, by variant."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simsage.figures.source import Source
from simsage.figures.style import bar, canvas, legend_above
from simsage.formats import plain
from simsage.resources import Group, grouped

NAMES = {"LLM": "LLM", "EMBEDDING": "Embedding", "RETRIEVER": "Retrieval"}


def caption(source: Source) -> str:
    """What the figure shows, in a sentence."""
    where = f" at {source.where()}" if source.where() else ""
    return f"Share of the time that backends worked, and requests or texts per step or batch{where}."


def draw(source: Source) -> Figure | None:
    """Draw it, or give None without backends."""
    groups = [group for group in grouped(source.summary.resources) if group.point == source.point]
    if not groups:
        return None
    figure, (busy, batch) = canvas(3.2, rows=2, sharex=True)
    kinds = list(dict.fromkeys((group.service, group.profile) for group in groups))
    for index, variant in enumerate(source.summary.variants):
        mine = {(group.service, group.profile): group for group in groups if group.variant == variant}
        _bars(busy, kinds, mine, index, source, lambda group: 100 * group.utilisation)
        _bars(batch, kinds, mine, index, source, lambda group: group.batch_mean)
    busy.set(ylabel="Utilisation (%)", ylim=(0, 112))
    batch.set(ylabel="Batch size")
    batch.margins(y=0.15)
    batch.set_xticks(range(len(kinds)), [_label(kind, kinds) for kind in kinds])
    for axes in (busy, batch):
        axes.grid(axis="x", visible=False)
    legend_above(busy, len(source.summary.variants))
    return figure


def _label(kind: tuple[str, str], kinds: list[tuple[str, str]]) -> str:
    alone = sum(other[0] == kind[0] for other in kinds) == 1
    return NAMES[kind[0]] if alone or not kind[1] else f"{NAMES[kind[0]]}\n{kind[1]}"


def _bars(
    axes: Axes,
    kinds: list[tuple[str, str]],
    mine: dict[tuple[str, str], Group],
    index: int,
    source: Source,
    value: Callable[[Group], float],
) -> None:
    variants = source.summary.variants
    width = 0.8 / len(variants)
    for place, kind in enumerate(kinds):
        height = value(mine[kind]) if kind in mine else 0.0
        x = place + (index - (len(variants) - 1) / 2) * width
        label = variants[index] if place == 0 else None
        axes.bar(x, height, width, label=label, **bar(index))
        axes.annotate(plain(height), (x, height), (0, 1), textcoords="offset points", ha="center", fontsize=6)
