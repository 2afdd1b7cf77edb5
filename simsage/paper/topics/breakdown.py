"""Breakdown: which parts of the latency differ between the variant and its baseline."""

from __future__ import annotations

from collections.abc import Sequence

from simsage.breakdown import AROUND, PARTS, Split, read_splits
from simsage.comparison.recorded_run import CellName
from simsage.formats import plain, point_label, with_interval
from simsage.paper.facts import ABSENT, Facts
from simsage.paper.numbers import Number
from simsage.paper.table import Cell, Table
from simsage.statistics import Estimate, estimate, paired_difference

TITLE = "Where the time goes"
TAIL = 99
LEAST_MS = 0.05
"""Differences below it are not spoken of."""
MEAN = "mean over replications of the mean over completed requests around that percentile"
DIFFERENCE = "mean over replications of the first less the second, which share their arrivals"


def told(facts: Facts) -> list[str]:
    """A paragraph for each telling point: what differs around the tail, in milliseconds."""
    return [_told(facts, point) for point in facts.telling]


def table(facts: Facts) -> Table:
    """A row for each telling point, variant and percentile."""
    rows: list[tuple[Cell, ...]] = []
    for point in facts.telling:
        for variant in facts.summary.variants:
            cell = (variant, point)
            splits = _splits(facts, cell)
            rows += [_row(facts, cell, level, splits) for level in AROUND if splits]
    axis = [facts.summary.sweep] if facts.summary.sweep else []
    heads = (*axis, "variant", "around", "all (ms)", *(f"{name} (ms)" for name in PARTS))
    source = facts.source_of_figures
    return Table(
        f"{facts.experiment.name}_breakdown",
        f"{facts.experiment.title}: mean parts of the {source.spoken_split} of requests around percentiles.",
        heads,
        tuple(rows),
    ).known_columns()


def _row(facts: Facts, cell: CellName, level: int, splits: Sequence[Split]) -> tuple[Cell, ...]:
    axis = [] if cell[1] is None else [point_label(cell[1])]
    parts = [_part(facts, cell, level, name, splits) for name in PARTS]
    shown = [one if one.value else ABSENT for one in parts]
    return (*axis, cell[0], f"p{level}", _part(facts, cell, level, "all", splits), *shown)


def _told(facts: Facts, point: float | None) -> str:
    spec, source = facts.experiment.main, facts.source_of_figures
    cells = (spec.variant, point), (spec.baseline, point)
    sides = [_splits(facts, cell) for cell in cells]
    at = f" at {facts.at(point)}" if point is not None else ""
    if not all(sides):
        return f"No request completed{at} in a replication, so there are no parts to tell apart."
    whole = [_part(facts, cell, TAIL, "all", side) for cell, side in zip(cells, sides, strict=True)]
    text = (
        f"The {source.spoken_split} around p{TAIL}{at} is {whole[0]} ms with '{spec.variant}' and "
        f"{whole[1]} ms with '{spec.baseline}'."
    )
    found = [_difference(facts, cells, name, sides) for name in PARTS]
    shown = [text for text in found if text]
    if not shown:
        return f"{text} No part of it is shown to differ."
    return f"{text} Parts shown to differ, '{spec.variant}' less '{spec.baseline}': {', '.join(shown)}."


def _difference(
    facts: Facts, cells: tuple[CellName, CellName], name: str, sides: Sequence[Sequence[Split]]
) -> str:
    found = paired_difference(*(_values(side, TAIL, name) for side in sides))
    if found.value is None or abs(found.value) < LEAST_MS or not _apart(found):
        return ""
    text = f"{'+' if found.value > 0 else '−'}{plain(abs(found.value))}"
    key = ("breakdown", *cells[0], f"p{TAIL}", name, "less", *cells[1])
    number = facts.note(key, text, found, [_source(facts)], DIFFERENCE)
    return f"{name} {number} ms"


def _apart(found: Estimate) -> bool:
    return found.ci95 is not None and not found.ci95[0] <= 0 <= found.ci95[1]


def _part(facts: Facts, cell: CellName, level: int, name: str, splits: Sequence[Split]) -> Number:
    found = estimate(_values(splits, level, name))
    key = ("breakdown", *cell, f"p{level}", name)
    return facts.note(key, with_interval(found), found, [_source(facts)], MEAN)


def _values(splits: Sequence[Split], level: int, name: str) -> list[float]:
    return [sum(one[level].values()) if name == "all" else one[level][name] for one in splits]


def _splits(facts: Facts, cell: CellName) -> list[Split]:
    """By replication; none at all where one of them has none."""
    source = facts.source_of_figures
    found = read_splits(facts.evidence.folder, source.stream, source.split_latency, *cell)
    return found if all(found) else []


def _source(facts: Facts) -> str:
    return f"{facts.place}/requests.parquet#/{facts.source_of_figures.split_latency}_s"
