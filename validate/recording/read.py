"""read_recording: the replays in a recording's folder. The scenario and its profiles are read like any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simcore.errors import BadInput, Fault
from simcore.request import Kind, Outcome, Priority, Request
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.places import places
from validate.pace import Pace, Steps
from validate.recording.layout import REPLAYS, read_lines, requests_file, steps_file
from validate.recording.rows import ReplayRow, RequestRow, StepRow, request_of
from validate.replay.replay import Replayed
from validate.watch import Incident

NAMES: tuple[tuple[str, Any], ...] = (("kind", Kind), ("priority", Priority), ("outcome", Outcome))


@dataclass(frozen=True, slots=True)
class Record:
    """One replay of a recording: which one, and what came of it."""

    variant: str
    point: float | None
    number: int
    replayed: Replayed


def scenario_file(folder: Path) -> Path:
    """The only YAML file in the folder of a recording. BadInput where there is none, or several."""
    if not folder.is_dir():
        raise BadInput([Fault(str(folder), 0, "--recorded", "no such folder", "the folder of a recording")])
    found = sorted(folder.glob("*.yaml"))
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise BadInput([Fault(str(folder), 0, "*.yaml", names, "one scenario, the recording's own")])
    return found[0]


def read_recording(folder: Path, document: ScenarioDocument) -> list[Record]:
    """All replays, in the order in which they were made. ``document`` is the recording's scenario.

    BadInput for a file that is missing, cut off or has other columns, and for a replay of a variant or at a
    point that the scenario does not have.
    """
    file = folder / REPLAYS
    rows = list(read_lines(file, ReplayRow))
    if not rows:
        raise BadInput([Fault(str(file), 0, "", "no replay", "one replay or more")])
    for line, row in enumerate(rows, start=1):
        _check_known(file, line, row, document)
        if row.number in {other.number for other in rows[: line - 1]}:
            raise BadInput([Fault(str(file), line, "number", str(row.number), "a number of its own")])
    llms = [place.name for place in places(document) if place.spec.kind == "llm"]
    return [Record(row.variant, row.point, row.number, _replayed(folder, row, llms)) for row in rows]


def _check_known(file: Path, line: int, row: ReplayRow, document: ScenarioDocument) -> None:
    names = [variant.name for variant in document.variants]
    points: list[float | None] = list(document.sweep.points) if document.sweep else [None]
    for key, found, allowed in (("variant", row.variant, names), ("point", row.point, points)):
        if found not in allowed:
            said = f"one of the scenario's: {', '.join(map(str, allowed))}"
            raise BadInput([Fault(str(file), line, key, repr(found), said)])


def _replayed(folder: Path, row: ReplayRow, llms: list[str]) -> Replayed:
    lags = row.lags
    if lags is None:
        lags = [] if row.send_lag_p99_s is None else [row.send_lag_p99_s]
    return Replayed(
        requests=_requests(requests_file(folder, row.number), row.requests),
        lags=lags,
        faults=dict(row.faults),
        incidents=[Incident(one.at, one.what) for one in row.incidents],
        lost=list(row.lost),
        cores=dict(row.cores),
        paces=[Pace(**one.model_dump()) for one in row.paces],
        steps=_steps(steps_file(folder, row.number), llms),
        epoch_start=row.epoch_start,
        seconds=row.seconds,
        aligned=row.aligned,
    )


def _requests(file: Path, expected: int) -> list[Request]:
    rows = list(read_lines(file, RequestRow))
    if len(rows) != expected:
        raise BadInput([Fault(str(file), 0, "", f"{len(rows)} requests", f"{expected}, as {REPLAYS} says")])
    found: dict[int, Request] = {}
    for line, row in enumerate(rows, start=1):
        if row.id in found:
            raise BadInput([Fault(str(file), line, "id", str(row.id), "an id of its own")])
        found[row.id] = _request(file, line, row)
    for line, row in enumerate(rows, start=1):
        if row.parent is not None:
            if row.parent not in found or found[row.parent].kind is not Kind.PIPELINE:
                allowed = "the id of a pipeline request here"
                raise BadInput([Fault(str(file), line, "parent", str(row.parent), allowed)])
            found[row.id].parent = found[row.parent]
    return list(found.values())


def _request(file: Path, line: int, row: RequestRow) -> Request:
    for key, names in NAMES:
        if (said := getattr(row, key)) not in names.__members__:
            raise BadInput([Fault(str(file), line, key, said, f"one of {', '.join(names.__members__)}")])
    request = request_of(row)
    if request.outcome is Outcome.COMPLETED and not request.finished >= request.arrival:
        raise BadInput([Fault(str(file), line, "finished", str(row.finished), "a time behind its arrival")])
    if request.first_token > request.finished:
        raise BadInput([Fault(str(file), line, "first_token", str(row.first_token), "a time before its end")])
    return request


def _steps(file: Path, llms: list[str]) -> dict[str, Steps]:
    found: dict[str, Steps] = {}
    for line, row in enumerate(read_lines(file, StepRow), start=1):
        name = row.backend or (llms[0] if len(llms) == 1 else None)
        if name not in llms:
            allowed = f"an LLM backend of the scenario: {', '.join(llms) or 'none'}"
            raise BadInput([Fault(str(file), line, "backend", str(name), allowed)])
        found.setdefault(name, []).append(row.model_dump(exclude={"backend"}))
    return found


def recorded_of(folder: Path, records: Sequence[Record]) -> dict[str, Any]:
    """What environment.json says of the recording that was judged: where it is, and when it was made."""
    began = min(one.replayed.epoch_start for one in records)
    made = datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds")
    return {"folder": str(folder), "made": made, "replays": len(records)}
