"""RecordedRun: a run read back from its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from simcore.errors import BadInput, Fault
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.schema_findings import schema_findings
from simcore.scenario.yaml_file import read_source
from simsage import output, records
from simsage.metrics import Sample, samples_of
from simsage.replication import Cell
from simsage.run import cells_of
from simsage.summary import SCHEMA_VERSION

COLUMNS = (
    *("replication", "request_id", "parent_id", "stream", "tenant", "kind", "stage", "outcome"),
    *("output_tokens", "arrival_s", "finished_s", "ttft_s", "tpot_s", "e2el_s", "counted"),
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
    summary: Mapping[str, Any]
    """The content of summary.json."""
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
        """All replications of a cell."""
        variant, point = name
        frame = records.read(self.folder, COLUMNS, variant=variant, point=point)
        cell = self.cells[name]
        return [
            Recorded(
                replace(cell, replication=number),
                samples_of(cell.document, frame[frame["replication"] == number]),
            )
            for number in range(cell.document.replications)
        ]


def read_run(folder: Path) -> RecordedRun:
    """The run in a folder that `run` has written. Raises BadInput if there is none that can be read."""
    summary = _json(folder, output.SUMMARY)
    if summary.get("schema_version") != SCHEMA_VERSION:
        found = f"schema version {summary.get('schema_version')!r}"
        raise _bad(folder / output.SUMMARY, found, f"version {SCHEMA_VERSION}, as this simsage writes it")
    facts = _json(folder, output.ENVIRONMENT).get("profiles", {})
    _check_records(folder / records.FILE)
    document = _document(folder / output.SCENARIO)
    digests = {name: fact["digest"] for name, fact in facts.items()}
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


def _json(folder: Path, name: str) -> dict[str, Any]:
    allowed = "a folder that simsage run has written"
    try:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
    except OSError as error:
        raise _bad(folder, f"no {name} ({error.strerror})", allowed) from None
    except ValueError:
        raise _bad(folder / name, "not JSON", allowed) from None
    if not isinstance(content, dict):
        raise _bad(folder / name, "not a mapping", allowed)
    return content


def _check_records(path: Path) -> None:
    try:
        missing = set(COLUMNS).difference(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise _bad(path, " ".join(str(error).split()), "the records that simsage run has written") from None
    if missing:
        raise _bad(path, f"no column {min(missing)}", "the records that simsage run has written")


def _bad(path: Path, found: str, allowed: str) -> BadInput:
    return BadInput([Fault(str(path), 0, "", found, allowed)])
