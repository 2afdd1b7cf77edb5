"""Control costs: measured on real objects, and used where a scenario says none of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from calibration.backends.decision_worker import BACKENDS, decision_seconds
from calibration.campaign import Campaign
from calibration.cores import Cores
from calibration.probes import control as probe
from calibration.store import Store
from simcore.control.presets import PRESETS
from simcore.profile.control import ControlCosts
from simcore.profile.document import ProfileDocument
from simcore.profile.use import with_control_costs
from simcore.scenario.document import Variant
from simcore.scenario.resolve import resolve
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario, times

CHAT = {
    "kind": "chat",
    "arrivals": {"process": "constant", "rate": 1.0},
    "prompt_tokens": constant(8),
    "output_tokens": constant(1),
}


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    cores = frozenset({min(os.sched_getaffinity(0))})
    store = Store(tmp_path / "points.jsonl", {})
    return Campaign("cpu", Cores(cores, cores), store, tmp_path, lambda what, part: None, 2, tries=1)


def measured() -> ProfileDocument:
    """Hops of 3 ms, decisions of 2 ms."""
    return profile().model_copy(update={"control": ControlCosts(how="measured", hop=0.003, decision=0.002)})


def costs(**plane: Any) -> tuple[float, float]:
    """Milliseconds of a hop and a decision that a run of that control plane has."""
    document = resolve(scenario(streams={"chat": CHAT}, control_plane=plane), Variant(name="default"), None)
    said = with_control_costs(document, {"here": measured()}).control_plane
    return said.hop_latency_ms, said.decision_cost_ms


def test_what_the_scenario_does_not_say_comes_from_the_profile() -> None:
    assert costs() == (0.0, 0.0)
    assert costs(costs_profile="here") == (3.0, 2.0)
    assert costs(costs_profile="here", hop_latency_ms=0.0) == (0.0, 2.0)
    assert costs(costs_profile="here", hop_latency_ms=0.5, decision_cost_ms=0.1) == (0.5, 0.1)


def test_a_preset_that_says_them_wins_over_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    assert costs(costs_profile="here", preset="sage-designed") == (3.0, 2.0)
    monkeypatch.setitem(PRESETS, "sage-designed", {"hop_latency_ms": 7.0})
    assert costs(costs_profile="here", preset="sage-designed") == (7.0, 2.0)


def test_a_run_takes_its_times_from_the_profile() -> None:
    """Hop in 3 ms, decision 2 ms, hop 3 ms, one step of 10 ms, two hops back."""
    document = scenario(duration_s=0.5, streams={"chat": CHAT}, control_plane={"costs_profile": "here"})
    (request,) = simulate(document, {"here": measured(), "test": profile()}, 0, Path()).requests
    since = [round(1e3 * (at - request.arrival), 6) for at in times(request)[1:]]
    assert since == [3.0, 5.0, 8.0, 8.0, 24.0, 24.0]


def test_a_profile_without_control_costs_is_an_error() -> None:
    document = scenario(streams={"chat": CHAT}, control_plane={"costs_profile": "test"})
    with pytest.raises(ValueError, match="'test' has no control costs"):
        with_control_costs(document, {"test": profile()})


def test_the_real_plane_keeps_as_many_waiting_while_it_is_timed() -> None:
    assert 0.0 < decision_seconds(waiting=40, requests=200) < 0.1
    # Three chats to one embedding among the requests, and so among what the backends take.
    limits = [sum(f.max_in_flight or 0 for f in BACKENDS if f.service == service) for service in (0, 1)]
    assert limits == [96, 32]


def test_costs_are_medians_and_say_what_they_are(campaign: Campaign) -> None:
    for number, factor in enumerate((1.0, 3.0)):
        records = [
            {"waiting": w, "decision": factor * s} for w, s in zip(probe.WAITING, (1, 2, 9), strict=True)
        ]
        campaign.store.keep(f"control/{number}", records=[*records, {"round_trips": [0.002, 0.004, 0.009]}])
    found = probe.control_costs(campaign)
    assert (found.how, found.hop, found.decision) == ("measured", 0.002, 4.0)
    assert "100, 300, 1000 waiting requests" in found.notes[0]
    assert "half the 90th percentile is 4.50 ms" in found.notes[1]


def test_the_probe_measures_real_processes_and_resumes(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "REQUESTS", 50)
    monkeypatch.setattr(probe, "POSTS", 20)
    probe.probe_control(campaign, (0.0, 1.0))
    records = campaign.records("control")
    assert [len(r["round_trips"]) for r in records if "round_trips" in r] == [20, 20]
    found = probe.control_costs(campaign)
    assert 1e-6 < found.decision < 1e-2
    assert 1e-5 < found.hop < 0.5
    monkeypatch.setattr(probe, "Worker", None)
    probe.probe_control(campaign, (0.0, 1.0))
    assert campaign.records("control") == records
