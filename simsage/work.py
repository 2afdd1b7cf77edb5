"""Work: the replications of a run, some of them finished, and all that simulating the others takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simcore.profile.document import ProfileDocument
from simsage.part import DRAFT, Part
from simsage.replication import Cell, Measured


@dataclass(frozen=True, slots=True)
class Work:
    """``cells`` by number, each a part in ``folder`` once it is finished; trace paths start from ``base``."""

    cells: Sequence[Cell]
    profiles: Mapping[str, ProfileDocument]
    base: Path
    folder: Path

    def part(self, number: int) -> Part:
        """The part of that cell."""
        return Part(self.folder, number)

    def left(self) -> list[int]:
        """The numbers of the cells that are not finished."""
        return [number for number, cell in enumerate(self.cells) if self.part(number).read(cell) is None]

    def begun(self) -> set[int]:
        """The numbers of the cells that a process has begun and is still at, or died of."""
        drafts = self.folder.glob(f"{DRAFT}*")
        return {int(draft.name.removeprefix(DRAFT).partition(".")[0]) for draft in drafts}

    def clear(self) -> None:
        """Forget what was begun: a process still at it loses its cell."""
        for draft in self.folder.glob(f"{DRAFT}*"):
            draft.unlink(missing_ok=True)

    def named(self, number: int) -> str:
        """The cell in words."""
        cell = self.cells[number]
        at = "" if cell.point is None else f" at {cell.point:g}"
        fit = "" if cell.member is None else f" with member {cell.member} of the ensembles"
        return f"replication {cell.replication} of {cell.variant!r}{at}{fit}"

    def finished(self) -> Iterator[tuple[Measured, Path]]:
        """What was measured of every cell and the file of its rows, in order, whenever it was done."""
        for number, cell in enumerate(self.cells):
            part = self.part(number)
            measured = part.read(cell)
            if measured is None:
                raise FileNotFoundError(2, "a finished replication is gone", str(part.facts))
            yield measured, part.rows
