"""RecordedRun: a run read back from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from simcore.errors import BadInput
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.schema_findings import schema_findings
from simcore.scenario.yaml_file import read_source
from simsage import output, records
from simsage.comparison.reading import bad, check_columns, read_digests, read_summary, telling
from simsage.metrics import Sample, samples_of
from simsage.replication import Cell
from simsage.run import cells_of
from simsage.summary import Summary

COLUMNS = (
    *("replication", "request_id", "parent_id", "stream", "tenant", "kind", "stage", "outcome"),
    *("output_tokens", "arrival_s", "scheduled_s", "finished_s", "ttft_s", "tpot_s", "e2el_s", "counted"),
)
"""What the metrics are made from."""

CellName = tuple[str, float | None]
"""Variant and sweep point."""
RowName = tuple[str, str]
"""Stream and stage."""
Values = dict[str, list[float]]
"""Each metric's value by replication, NaN in one that has none."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One replication of a recorded run, its metrics made anew from its requests."""

    cell: Cell
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What was run, and by name the cells whose requests were recorded (each as its replication 0)."""

    folder: Path
    summary: Summary
    document: ScenarioDocument
    """The scenario as it was run."""
    profiles: Mapping[str, str]
    """The digest of each profile."""
    cells: Mapping[CellName, Cell]

    def rows(self, name: CellName) -> dict[RowName, Values]:
        """The metrics of a cell, made anew from its requests; those that no replication has are left out."""
        rows: dict[RowName, Values] = {}
        for samples in zip(*(one.samples for one in self.replications(name)), strict=True):
            values = {metric: [one.values[metric] for one in samples] for metric in samples[0].values}
            known = {metric: found for metric, found in values.items() if not np.isnan(found).all()}
            rows[samples[0].stream, samples[0].stage] = known
        return rows

    def replications(self, name: CellName) -> list[Recorded]:
        """All replications of a cell. Raises BadInput where the records are not those of the summary."""
        variant, point = name
        cell, file = self.cells[name], self.folder / records.FILE
        with telling(file):
            frame = records.read(self.folder, COLUMNS, variant=variant, point=point)
            found = [
                Recorded(
                    replace(cell, replication=number),
                    samples_of(cell.document, frame[frame["replication"] == number]),
                )
                for number in range(cell.document.replications)
            ]
        self._check_whole(name, sum(one.samples[0].arrivals for one in found))
        return found

    def _check_whole(self, name: CellName, arrivals: int) -> None:
        row = self.summary.find(*name)
        if row is None:
            raise bad(self.folder / output.SUMMARY, f"no row of {name[0]!r} at {name[1]}")
        if row.arrivals != arrivals:
            found = f"{arrivals:,} requests of {name[0]!r} at {name[1]}"
            raise bad(
                self.folder / records.FILE, found, f"the {row.arrivals:,} that {output.SUMMARY} tells of"
            )


def read_run(folder: Path) -> RecordedRun:
    """The run in a folder that `run` has written. Raises BadInput if there is none that can be read."""
    summary = read_summary(folder)
    digests = read_digests(folder)
    check_columns(folder / records.FILE, ("variant", "point", *COLUMNS))
    document = _document(folder / output.SCENARIO)
    return RecordedRun(folder, summary, document, digests, _cells(document))


def _cells(document: ScenarioDocument) -> dict[CellName, Cell]:
    return {(cell.variant, cell.point): cell for cell in cells_of(document) if cell.replication == 0}


def _document(path: Path) -> ScenarioDocument:
    """The scenario without a check of the files that it names: they need not be there any more."""
    source = read_source(path)
    try:
        return ScenarioDocument.model_validate(source.raw)
    except ValidationError as error:
        raise BadInput([source.fault(finding) for finding in schema_findings(error)]) from None
