"""Matching: which cells of two runs are compared with each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simcore.errors import BadInput, Fault, one_of
from simsage.comparison.recorded_run import CellName, RecordedRun
from simsage.formats import point_label

Variants = tuple[str, str]
"""One of each run."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Pairs of cells in the order of the first run, and those of either run that have no partner."""

    pairs: list[tuple[CellName, CellName]]
    only_in_a: list[CellName]
    only_in_b: list[CellName]


def matched(a: RecordedRun, b: RecordedRun, variants: Variants | None) -> Matching:
    """Match by variant and sweep point, or the two given variants by sweep point.

    Raises BadInput where a run does not have its variant, or where nothing matches.
    """
    first, second = _cells(a, variants and variants[0]), _cells(b, variants and variants[1])
    pairs = [(cell, second[key]) for key, cell in first.items() if key in second]
    if not pairs:
        found, allowed = (", ".join(map(cell_label, cells.values())) for cells in (second, first))
        raise BadInput([Fault(str(b.folder), 0, "", f"only {found}", f"one that {a.folder} has: {allowed}")])
    return Matching(pairs, _without(first, second), _without(second, first))


def cell_label(cell: CellName) -> str:
    """``variant@point``, or the variant alone where there is no sweep."""
    variant, point = cell
    return variant if point is None else f"{variant}@{point_label(point)}"


def _cells(run: RecordedRun, variant: str | None) -> dict[CellName, CellName]:
    """The run's cells by what they are matched by; of a given variant alone it is the point."""
    if variant is None:
        return {cell: cell for cell in run.cells}
    names = {name for name, _ in run.cells}
    if variant not in names:
        raise BadInput([Fault(str(run.folder), 0, "variants", repr(variant), one_of(names, variant))])
    return {("", point): (name, point) for name, point in run.cells if name == variant}


def _without(these: Mapping[CellName, CellName], those: Mapping[CellName, CellName]) -> list[CellName]:
    return [cell for key, cell in these.items() if key not in those]
