"""How long the steps of a live engine last, beside its profile."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calibration.backends.server import ListeningProcess
from simcore.profile.steptime import StepTime
from simcore.step import Step
from validate.engine_steps import STRETCH, EngineLogs, all_engine_steps, engine_steps
from validate.pace import Pace, Pacing

FORM = StepTime(constant=0.02, decode=0.001)
DECODE = {
    "decodes": 5,
    "decode_context": 0,
    "prefills": 0,
    "prefill_tokens": 0,
    "prefill_attention": 0.0,
}


class Computing(ListeningProcess):
    """A child that computes for so many seconds and then sleeps."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.steps = folder / "steps.jsonl"
        self.done = folder / "done"
        (folder / "busy.py").write_text(
            "import pathlib, time\n"
            f"while time.process_time() < {seconds}: pass\n"
            f"pathlib.Path({str(self.done)!r}).touch()\n"
            "time.sleep(60)\n"
        )
        env = {"PYTHONPATH": str(folder)}
        super().__init__("busy", [], cores=os.sched_getaffinity(0), env=env, log=folder / "log")

    def write(self, *lines: dict[str, Any]) -> None:
        with self.steps.open("a") as log:
            log.writelines(json.dumps(line) + "\n" for line in lines)


def step(updated: float, busy: bool = True) -> dict[str, Any]:
    return {"scheduled": updated - 0.02, "updated": updated, "busy": busy, "step": DECODE}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Computing]:
    with Computing(tmp_path, seconds=0.5) as process:
        yield process


def test_on_a_cpu_it_is_what_the_whole_server_computes(server: Computing) -> None:
    server.write(step(1.0))
    pacing = Pacing("llm", server, FORM, on_cpu=True)
    server.write(step(2.0), step(9.0, busy=False))
    while not server.done.exists():
        time.sleep(0.01)
    pace = pacing.pace()
    assert pace is not None
    assert (pace.backend, pace.steps) == ("llm", 2)
    assert pace.profile == pytest.approx(2 * FORM(Step(**DECODE)))
    assert 0.4 < pace.live < 0.7


def test_elsewhere_it_is_the_clock_while_the_engine_has_work(server: Computing) -> None:
    pacing = Pacing("llm", server, FORM, on_cpu=False)
    server.write(step(1.0), step(1.03), step(1.07, busy=False), step(9.0), step(9.03))
    pace = pacing.pace()
    assert pace is not None
    assert pace.steps == 3
    assert pace.live == pytest.approx(0.03 + 0.04 + 0.03)


def test_a_server_that_did_nothing_or_is_gone_has_no_pace(server: Computing) -> None:
    pacing = Pacing("llm", server, FORM, on_cpu=True)
    assert pacing.pace() is None
    server.write(step(1.0))
    server.stop()
    assert pacing.pace() is None


def test_where_the_system_tells_no_processor_time_there_is_no_pace(
    server: Computing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Computing, "processor_seconds", lambda self: 0.0)
    pacing = Pacing("llm", server, FORM, on_cpu=True)
    server.write(step(1.0))
    assert pacing.pace() is None


@pytest.mark.parametrize("lonely", [[step(1.0)], [step(1.0, busy=False), step(2.0)]])
def test_by_the_clock_a_step_alone_has_no_pace(server: Computing, lonely: list[dict[str, Any]]) -> None:
    pacing = Pacing("llm", server, FORM, on_cpu=False)
    server.write(*lonely)
    assert pacing.pace() is None


def test_a_line_that_is_half_written_waits(server: Computing) -> None:
    pacing = Pacing("llm", server, FORM, on_cpu=False)
    server.write(step(1.0), step(1.05))
    with server.steps.open("a") as log:
        log.write('{"scheduled": 1.')
    pace = pacing.pace()
    assert pace is not None
    assert pace.steps == 1


def test_the_verdict_says_by_how_much_the_profile_is_off_over_all_repetitions() -> None:
    found = engine_steps(
        "shared",
        0.6,
        "llm",
        [Pace("llm", 100, 2.5, 2.3, on_cpu=True), Pace("llm", 300, 9.5, 6.7, on_cpu=True)],
    )
    assert found.steps == [100, 300]
    assert found.live_ms == pytest.approx([25, 31.6667], rel=1e-4)
    assert found.error == pytest.approx(9.0 / 12.0 - 1)
    assert found.sentence == (
        "A step of llm with 'shared' at 0.6 took 25 ms to 31.7 ms on the machine and 22.3 ms to 23 ms by the "
        "profile, 25% less."
    )


def test_steps_are_judged_by_kind_and_by_what_twenty_in_a_row_take_together() -> None:
    """25 ms by the profile for decodes that take 20 and 30 in turn, 20 ms for prefills that take 40."""
    prefill = {**DECODE, "decodes": 0, "prefills": 1, "prefill_tokens": 8}
    log, now = [step(0.0)], 0.0
    for number in range(2 * STRETCH):
        now += 0.02 if number % 2 else 0.03
        log.append(step(now))
    log.append({**step(now + 0.04), "step": prefill})
    # After a rest the time since the step before is no step's.
    log += [step(now + 0.05, busy=False), step(now + 9.0)]
    pace = Pace("llm", 1, 1.0, 1.0, on_cpu=False)
    (found,) = all_engine_steps("v", None, {"llm": EngineLogs([pace], [log], FORM)})
    kinds = {kind.kind: (kind.steps, kind.live_ms, kind.profile_ms) for kind in found.kinds}
    decodes = 2 * STRETCH + 1
    assert kinds["decode"] == pytest.approx((decodes, (2 * STRETCH * 25 + 10) / decodes, 25))
    assert kinds["prefill"] == pytest.approx((1, 40, 20))
    assert found.stretches is not None
    assert found.stretches.count == 2
    assert found.stretches.median_error == pytest.approx(0.0, abs=1e-9)
