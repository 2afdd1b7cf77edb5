"""The stages of a timed calibration, on stub backends and a clock of our own; and its profile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from calibration import measure as module
from calibration.assemble import assemble
from calibration.campaign import Campaign
from calibration.cores import Device
from calibration.errors import BackendFailed, Underdetermined
from calibration.measure import measure
from calibration.plan import tiny
from calibration.power_meter import PowerMeter
from calibration.running import Models, Said, starts_beside
from calibration.target import Part, Target
from tests.unit.test_calibration_time import FakeClock, campaign, taking

BLOCKS = 10
STEPS = 5.0
"""Seconds of each of the `BLOCKS` blocks of a stage."""


class Stage:
    """Stub probes: each measures its blocks; ``starts`` are the seconds that backends take to start."""

    def __init__(self, clock: FakeClock, engine: float, server: float) -> None:
        self.clock = clock
        self.engine, self.server = engine, server
        self.stopped = False

    def started(self, stack: Any, on: Campaign, target: Target, models: Models, kept: object) -> Any:
        def start() -> None:
            self.wait(on, self.engine)
            running.engine_start = self.engine

        running = SimpleNamespace(
            said=Said({"facts": {}}, {"max_tokens": 256}),
            engine_start=0.0,
            start=start,
            engine=None,
            embedding=None,
            room=None,
            pace=None,
            embedding_facts={"max_tokens": 256},
            embedding_server=None,
            server=None,
        )
        stack.callback(setattr, self, "stopped", True)
        return running

    def wait(self, on: Campaign, seconds: float) -> None:
        patience = on.patience
        self.clock.now += min(seconds, patience)
        if seconds > patience:
            raise BackendFailed("gave no answer")

    def probe(self, group: str, on: Campaign, start: float = 0.0) -> Callable[..., None]:
        def measured(campaign: Campaign, *others: Any) -> None:
            self.wait(campaign, start)
            names = [f"{group}/{number}" for number in range(BLOCKS)]
            blocks = {name: taking(self.clock, STEPS, name) for name in names}
            campaign.measure(group, blocks, lambda: 1.0, (0.0, 1.0), dict.fromkeys(names, STEPS))

        return measured


def run(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    minutes: float | None,
    device: Device = "cpu",
    server: float = 20.0,
    engine: float = 20.0,
    meter: PowerMeter | None = None,
) -> tuple[Campaign, FakeClock, Stage]:
    clock = FakeClock()
    on = campaign(folder, clock, minutes)
    on.device, on.meter = device, meter
    stage = Stage(clock, engine, server)
    monkeypatch.setattr(module, "Running", stage.started)
    monkeypatch.setattr(module, "probe_engine", stage.probe("llm", on))
    blocks = [(f"served/{number}", None, None) for number in range(BLOCKS)]
    monkeypatch.setattr(module, "server_blocks", lambda *what: blocks)
    monkeypatch.setattr(module, "probe_served", stage.probe("served", on, server))
    monkeypatch.setattr(module, "probe_control", stage.probe("control", on))
    target = Target(device, "qwen2-11m", parts=("llm", "control"))
    measure(on, target, tiny(), Models(folder, None, None))
    assert stage.stopped
    return on, clock, stage


def counts(on: Campaign) -> list[int]:
    return [len(on.records(group)) for group in ("llm", "served", "control")]


def test_without_a_limit_everything_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on, clock, _ = run(tmp_path, monkeypatch, None)
    assert counts(on) == [BLOCKS] * 3
    assert clock.now == 1000.0 + 20.0 + 20.0 + 3 * BLOCKS * STEPS
    assert on.shortfall() == on.notes == []


def test_time_is_divided_and_no_stage_goes_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minutes less 15 s, less 20 for the engine, leave 85; the server's start may take 30, control's 8.

    Of the other 47 engine steps get 45 of 93 parts, 22.7 s, 4 blocks. Of the 65 s then left the server gets
    its 30 and 45 of 48 parts of 27, 55 s, which after a start of 20 are 7 blocks, and control the 10 s that
    remain.
    """
    on, clock, _ = run(tmp_path, monkeypatch, 2)
    assert counts(on) == [4, 7, 2]
    assert clock.now <= 1000.0 + 105.0 + STEPS
    assert on.shortfall() == [
        "left out after 2 minutes: 6 of 10 blocks of llm, 3 of 10 blocks of served, 8 of 10 blocks of control"
    ]


def test_the_same_command_goes_on_where_time_was_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, monkeypatch, 2)
    before = (tmp_path / "points.jsonl").read_text()
    on, _, _ = run(tmp_path, monkeypatch, 4)
    assert (tmp_path / "points.jsonl").read_text().startswith(before)
    assert counts(on) == [BLOCKS] * 3
    assert on.shortfall() == []


def test_a_server_that_is_not_ready_in_time_costs_its_own_stage_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 205 s steps take 50; the server gets 30 and 45 of 48 parts of 117, control the last 15 s."""
    on, clock, _ = run(tmp_path, monkeypatch, 4, server=500.0)
    assert counts(on) == [BLOCKS, 0, 3]
    assert "left out the stage server: gave no answer" in on.notes
    assert clock.now <= 1000.0 + 225.0 + STEPS


def test_an_engine_that_is_not_ready_in_time_leaves_what_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on, clock, _ = run(tmp_path, monkeypatch, 1, engine=500.0)
    assert counts(on) == [0, 0, 0]
    assert on.notes[0] == "left out the backends: gave no answer"
    assert clock.now == 1045.0


@pytest.mark.parametrize("minutes", [2.0, None])
def test_a_backend_that_dies_is_an_error_but_costs_its_own_stage_alone_in_a_limited_time(
    minutes: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(Stage):
        def probe(self, group: str, on: Campaign, start: float = 0.0) -> Callable[..., None]:
            def dies(*what: Any) -> None:
                raise BackendFailed(f"the {group} has died.\nIts log")

            return dies if group == "served" else super().probe(group, on, start)

    monkeypatch.setattr(f"{__name__}.Stage", Dying)
    if minutes is None:
        with pytest.raises(BackendFailed, match="the served has died"):
            run(tmp_path, monkeypatch, minutes)
        return
    on, _, _ = run(tmp_path, monkeypatch, minutes)
    assert counts(on)[0] > 0
    assert counts(on)[1] == 0
    assert counts(on)[2] > 0
    assert "left out the stage server: the served has died." in on.notes


def test_where_servers_start_beside_what_is_left_goes_to_what_was_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU the server of a minute's start is up already when its stage comes: time is left over."""
    assert starts_beside("gpu")
    assert not starts_beside("cpu")
    on, clock, _ = run(tmp_path, monkeypatch, 3, device="gpu", server=0.0)
    assert counts(on)[:2] == [BLOCKS] * 2
    assert clock.now <= 1000.0 + 165.0 + STEPS


def profile_of(folder: Path, minutes: float | None, *parts: Part) -> Any:
    """Of control costs alone, whatever ``parts`` are asked for."""
    on = campaign(folder, FakeClock(), minutes)
    costs = [{"waiting": waiting, "decision": 1e-5} for waiting in (100, 300, 1000)]
    on.store.keep("control/0", anchors=(1.0, 1.0), records=[*costs, {"round_trips": [1e-3] * 4}])
    target = Target("cpu", "qwen2-11m", parts=parts)
    return assemble(on, target, tiny(), Models(None, None, None), Said({}, {}), "mine")


def test_parts_that_points_do_not_determine_are_absent_and_said_to_be(tmp_path: Path) -> None:
    profile = profile_of(tmp_path, 2, "llm", "control")
    assert (profile.llm, profile.embedding) == (None, None)
    assert profile.control.decision == pytest.approx(1e-5)
    assert profile.provenance.notes[0] == "left out the part llm: nothing was measured of llm"


def test_without_a_limit_or_with_nothing_at_all_there_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(Underdetermined, match="nothing was measured of llm"):
        profile_of(tmp_path, None, "llm", "control")
    with pytest.raises(Underdetermined, match="no profile yet, the points are kept: left out the part"):
        profile_of(tmp_path, 2, "llm")
