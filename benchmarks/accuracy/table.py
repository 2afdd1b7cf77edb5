"""table: the court's table as text of at most `WIDTH` columns, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from benchmarks.accuracy.lines import HEADER, Part, intervals, parts
from benchmarks.accuracy.row import Row

WIDTH = 120


def text(rows: Sequence[Row]) -> str:
    """What is printed: a title and lines for each part, then how many intervals held the truth."""
    found = list(parts(rows))
    widths = [max(map(len, cells)) for cells in zip(HEADER, *_cells(found), strict=True)]
    blocks = [
        "\n".join([*wrap(part.title, WIDTH), *(_aligned(line, widths) for line in (HEADER, *part.lines))])
        for part in found
    ]
    return "\n\n".join([*blocks, "\n".join(_intervals(rows))])


def markdown(rows: Sequence[Row]) -> str:
    """The same for the docs."""
    blocks = []
    for part in parts(rows):
        lines = [HEADER, ("---",) * len(HEADER), *part.lines]
        blocks += [f"*{part.title}*", "\n".join(f"| {' | '.join(line)} |" for line in lines)]
    return "\n\n".join([*blocks, "\n".join(f"- {line}" for line in _intervals(rows))]) + "\n"


def _intervals(rows: Sequence[Row]) -> list[str]:
    return [
        f"95% intervals that held the truth, {one.data}, {one.metric}: {one.held} of {one.count} "
        f"({one.held / one.count:.0%}), half-width {one.half:.1%}"
        for one in intervals(rows)
    ]


def _cells(found: Iterable[Part]) -> list[tuple[str, ...]]:
    return [line for part in found for line in part.lines]


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    cells = [line[0].ljust(widths[0]), line[1].ljust(widths[1])]
    cells += [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
    return " ".join(cells).rstrip()
