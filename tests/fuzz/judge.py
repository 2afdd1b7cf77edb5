"""What becomes of a damaged file: accepted and simulated, refused clearly, or a defect of ours."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import process_time

from simcore.errors import BadInput
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.expected import expected_requests
from simcore.scenario.load import load_scenario
from simsage.profiles import check_against_profiles, load_profiles, profile_fault
from simsage.replication import Cell, replicate
from simsage.run import cells_of
from tests.factories import profile
from tests.fuzz.bases import WIDE
from tests.fuzz.mutate import Damaged

LIMIT_S = 2.0
"""CPU seconds after which a file counts as a hang: what else the machine does makes none."""
MOST_EXPECTED = 1000
"""Requests and backends beyond which an accepted file is not simulated: what it asks for is much work."""


@dataclass(frozen=True, slots=True)
class Judged:
    """``outcome`` is accepted, refused or defect, ``seconds`` of CPU, ``told`` faults or traceback."""

    number: int
    how: str
    outcome: str
    seconds: float
    told: str


class Hang(BaseException):
    """It took longer than LIMIT_S."""


def judge(file: Damaged, folder: Path) -> Judged:
    """Do with the file what ``simsage run`` does, in ``folder``."""
    scenario, other = folder / "scenario.yaml", folder / "mine.json"
    scenario.write_bytes(file.content if file.kind == "scenario" else WIDE.encode())
    other.write_bytes(file.content if file.kind == "profile" else profile(sigma=0.1).to_json().encode())
    begun = process_time()
    try:
        with _limited():
            _run(scenario)
        outcome, told = "accepted", ""
    except BadInput as bad:
        clear = all(fault.found and fault.allowed and fault.file for fault in bad.faults) and bad.faults
        outcome, told = ("refused" if clear else "defect"), str(bad)
    except (Exception, Hang):
        outcome, told = "defect", traceback.format_exc(limit=-6)
    return Judged(file.number, f"{file.kind}/{file.how}", outcome, process_time() - begun, told)


def _run(scenario: Path) -> None:
    base = scenario.parent
    document = load_scenario(scenario, {}, lambda name: profile_fault(name, base))
    if len(document.variants) * len(document.sweep.points if document.sweep else [0]) > 20:
        return
    cells = list(cells_of(document.model_copy(update={"replications": 1})))
    profiles = load_profiles((cell.document for cell in cells), base)
    check_against_profiles(scenario, (cell.document for cell in cells), profiles)
    for cell in cells[:2]:
        short = _short(cell.document)
        if _small(short):
            replicate(Cell(cell.variant, cell.point, 0, short), profiles, base)


def _short(document: ScenarioDocument) -> ScenarioDocument:
    """At most three seconds and as much again to drain."""
    duration = min(3.0, document.duration_s)
    changed = {
        "duration_s": duration,
        "warmup_s": duration / 3,
        "drain_s": min(5.0, document.drain_s),
    }
    return document.model_copy(update=changed)


def _small(document: ScenarioDocument) -> bool:
    expected = sum(expected_requests(stream, document.duration_s) for stream in document.streams.values())
    return expected + sum(group.count for group in document.backends.values()) <= MOST_EXPECTED


@contextmanager
def _limited() -> Iterator[None]:
    def out_of_time(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, out_of_time)
    signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
