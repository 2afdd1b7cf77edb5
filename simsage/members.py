"""Members: which draws from the profiles' ensembles a run simulates, and what each of them shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from simcore.profile.document import ProfileDocument
from simsage.replication import Cell

MOST_MEMBERS = 10
"""Draws from the ensembles that are simulated; their interval is then 14% wider than that of any number."""


def draws_of(profiles: Mapping[str, ProfileDocument]) -> int:
    """How many draws from the ensembles of these profiles are simulated; 0 where none has an ensemble."""
    return min(MOST_MEMBERS, max((len(profile.ensemble) for profile in profiles.values()), default=0))


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
