"""The gateway's benchmark: what it makes of its measurements, and how that gets into a profile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.gateway_costs import Measured, costs_of, write_costs
from calibration.errors import CalibrationError
from calibration.profile_file import write_profile
from simcore.profile.control import ControlCosts
from simcore.profile.document import LastVerdict, ProfileDocument
from simcore.profile.load import load_profile
from simcore.profile.use import with_control_costs
from simcore.request import Request
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario

MEASURED = Measured(added=0.006, occupancy=0.002, token=3e-5, conditions="gateway on core 0")
CHAT = {
    "kind": "chat",
    "arrivals": {"process": "constant", "rate": 1.0},
    "prompt_tokens": constant(8),
    "output_tokens": constant(3),
}


def calibrated() -> ProfileDocument:
    """A profile with other control costs, which it passed with."""
    control = ControlCosts(how="measured", hop=0.5, decision=0.5)
    passed = LastVerdict(passed=True, date="2026-01-01", scenario="test", worst_error=0.1)
    return profile().model_copy(update={"control": control, "validation": passed})


def first_request(profiles: dict[str, ProfileDocument], **plane: str) -> Request:
    document: ScenarioDocument = scenario(duration_s=1.5, streams={"chat": CHAT}, control_plane=plane)
    return simulate(document, profiles, 0, Path()).requests[0]


def test_the_rest_of_what_it_adds_is_spread_over_the_hops() -> None:
    costs = costs_of(MEASURED)
    assert (costs.how, costs.decision) == ("measured", 0.002)
    assert costs.hop == pytest.approx(0.001)
    assert "gateway on core 0" in costs.notes[0]
    assert costs.message == pytest.approx(30e-6)
    assert "6.000 ms" in costs.notes[2]


def test_a_simulation_on_them_adds_what_was_measured(tmp_path: Path) -> None:
    """One request at a time: the benchmark's own low load."""
    out = tmp_path / "test.json"
    write_costs(out, profile(), MEASURED)
    written = load_profile("test.json", tmp_path)
    alone = first_request({"test": profile()})
    through = first_request({"test": written}, costs_profile="test")
    for moment in ("first_token", "finished"):
        assert getattr(through, moment) - getattr(alone, moment) == pytest.approx(0.006)


def test_only_the_costs_change_and_the_verdict_on_others_goes(tmp_path: Path) -> None:
    out, before = tmp_path / "test.json", calibrated()
    write_profile(out, before)
    said = write_costs(out, load_profile("test.json", tmp_path), MEASURED)
    after = load_profile("test.json", tmp_path)
    assert after.control == said == costs_of(MEASURED)
    assert after.validation is None
    untouched = {"control", "validation", "digest"}
    assert after.model_dump(exclude=untouched) == before.model_dump(exclude=untouched)
    document = scenario(streams={"chat": CHAT}, control_plane={"costs_profile": "test"})
    plane = with_control_costs(document, {"test": after}).control_plane
    assert (plane.hop_latency_ms, plane.decision_cost_ms) == (pytest.approx(1.0), 2.0)


def test_less_than_nothing_for_the_hops_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "test.json"
    write_profile(out, calibrated())
    before = out.read_bytes()
    with pytest.raises(CalibrationError, match=r"adds 1.000 ms .* busy for 2.000 ms"):
        write_costs(out, calibrated(), replace(MEASURED, added=0.001))
    assert out.read_bytes() == before
    assert costs_of(replace(MEASURED, added=0.002)).hop == 0.0
