"""Members: which draws from the profiles' ensembles a run simulates, and on which random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from simsage.replication import Cell


def member_cells(cells: Sequence[Cell], draws: int) -> list[Cell]:
    """The cells that tell what calibration leaves open: at every variant and point each draw once.

    Draws go through the replications in turn, each of which has its own random numbers.
    """
    places: dict[tuple[str, float | None], list[Cell]] = {}
    for cell in cells:
        places.setdefault((cell.variant, cell.point), []).append(cell)
    return [
        replace(place[number % len(place)], member=number)
        for place in places.values()
        for number in range(draws)
    ]
