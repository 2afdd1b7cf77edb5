"""validated: what came of a validation, judged, drawn and written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from simcore.request import Request
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import dump_scenario
from simcore.scenario.places import places
from simsage import output
from simsage.figures.catalogue import Drawn
from simsage.figures.validation_catalogue import draw_case
from simsage.records import Writer, frame_of
from simsage.register import Register
from simsage.report.validation_page import validation_page
from validate.cell import Cell
from validate.compare.case import Case
from validate.compare.judge import judge
from validate.compare.verdict import Verdict

VERDICT = "verdict.json"
LIVE, SIMULATED = "live.parquet", "simulated.parquet"


def judged(document: ScenarioDocument, cells: Sequence[Cell], cases: Sequence[Case]) -> Verdict:
    verdict = judge(document, cases)
    if not verdict.machine_paces:
        return verdict
    plain = [
        replace(case, simulated=[cell.as_calibrated] * len(cell.live))
        for cell, case in zip(cells, cases, strict=True)
    ]
    # The median is of plain differences: it needs no intervals, so as few resamples as there can be.
    median = judge(document, plain, resamples=2).median_error
    return verdict.model_copy(update={"median_error_as_calibrated": median})


def write_verdict(
    document: ScenarioDocument,
    cells: Sequence[Cell],
    cases: Sequence[Case],
    verdict: Verdict,
    environment: Mapping[str, Any],
    folder: Path,
) -> None:
    _write_records(cells, folder)
    resolved = dump_scenario(document)
    faults = sum((Counter(live.faults) for cell in cells for live in cell.live), Counter())
    drawn = _draw(cases, folder / output.FIGURES)
    texts = {
        output.SCENARIO: resolved,
        output.ENVIRONMENT: json.dumps(environment, indent=2) + "\n",
        VERDICT: verdict.model_dump_json(indent=2) + "\n",
        output.REPORT: validation_page(document, verdict, drawn, faults, environment, resolved),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _write_records(cells: Sequence[Cell], folder: Path) -> None:
    with closing(Writer(folder, LIVE)) as live, closing(Writer(folder, SIMULATED)) as simulated:
        for cell in cells:
            for repetition, (one, simulation) in enumerate(zip(cell.live, cell.simulated, strict=True)):
                live.add(_frame(cell, one.requests, repetition))
                simulated.add(_frame(cell, simulation, repetition))


def _frame(cell: Cell, requests: Sequence[Request], repetition: int) -> Any:
    names = [place.name for place in places(cell.document)]
    return frame_of(Register(requests), names, cell.variant, cell.point, repetition, cell.document.warmup_s)


def _draw(cases: Sequence[Case], folder: Path) -> list[tuple[Case, list[Drawn]]]:
    folder.mkdir()
    return [(case, draw_case(case, number, folder)) for number, case in enumerate(cases)]
