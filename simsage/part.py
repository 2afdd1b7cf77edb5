"""Part: one finished replication on disk, whole or not there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from simcore.profile.document import ProfileDocument
from simcore.regular_file import check_regular, read_text
from simcore.result import BackendUsage, ControlPlaneUsage, RangeExcess
from simsage.metrics import Sample
from simsage.records import Writer
from simsage.replication import Cell, Measured, replicate

DRAFT = ".draft-"
"""Names of files that are not whole begin so; the cell's number follows."""

_LISTS: dict[str, TypeAdapter[Any]] = {
    "samples": TypeAdapter(list[Sample]),
    "backends": TypeAdapter(list[BackendUsage]),
    "control_planes": TypeAdapter(list[ControlPlaneUsage]),
    "range_excesses": TypeAdapter(list[RangeExcess]),
}
_FACTS = tuple(field.name for field in fields(Measured) if field.name != "cell")


@dataclass(frozen=True, slots=True)
class Part:
    """The replication of cell ``number``: NUMBER.parquet has its rows, NUMBER.json what was measured.

    Files get these names when they are whole, the JSON last: with it the part is there. Until then the
    names are hidden and the process's own, so that two processes at the same cell do no harm.
    """

    folder: Path
    number: int

    @property
    def rows(self) -> Path:
        """The file of its rows."""
        return self.folder / f"{self.number:06}.parquet"

    @property
    def facts(self) -> Path:
        """The file of what was measured."""
        return self.folder / f"{self.number:06}.json"

    def simulate(self, cell: Cell, profiles: Mapping[str, ProfileDocument], base: Path) -> int:
        """Simulate the cell and keep it; gives back the number. Of a member no rows are kept."""
        draft = self._draft(self.rows)
        draft.touch()
        measured, frame = replicate(cell, profiles, base)
        self.keep(measured, frame if cell.member is None else frame[:0])
        return self.number

    def keep(self, measured: Measured, frame: pd.DataFrame) -> None:
        """Write both files; they are on disk when this returns."""
        draft = self._draft(self.rows)
        with closing(Writer(draft.parent, draft.name)) as writer:
            writer.add(frame)
        _settle(draft, self.rows)
        draft = self._draft(self.facts)
        draft.write_text(_dumped(measured), encoding="utf-8")
        _settle(draft, self.facts)

    def receive(self, rows: bytes, facts: bytes) -> None:
        """Write files whose contents another machine has made."""
        for content, file in ((rows, self.rows), (facts, self.facts)):
            draft = self._draft(file)
            draft.write_bytes(content)
            _settle(draft, file)

    def read(self, cell: Cell) -> Measured | None:
        """What was measured of ``cell``; None if the part is not there, or not whole."""
        try:
            check_regular(self.rows)
            pq.read_metadata(self.rows)
            return _loaded(read_text(self.facts), cell)
        except (FileNotFoundError, ValueError, TypeError, KeyError, pa.ArrowException):
            return None

    def _draft(self, file: Path) -> Path:
        return self.folder / f"{DRAFT}{file.stem}.{os.getpid()}{file.suffix}"


def _settle(draft: Path, file: Path) -> None:
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    draft.replace(file)


def _dumped(measured: Measured) -> str:
    return json.dumps({name: getattr(measured, name) for name in _FACTS}, default=asdict)


def _loaded(text: str, cell: Cell) -> Measured:
    facts = json.loads(text)
    lists = {name: adapter.validate_python(facts[name]) for name, adapter in _LISTS.items()}
    return Measured(cell=cell, **facts | lists)
