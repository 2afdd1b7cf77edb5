"""Energy over everything a scenario can say, faults and shared devices included."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given

from simcore.profile.document import ProfileDocument
from simcore.profile.power import Power
from simcore.request import Service
from simcore.result import SimulationResult
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate
from tests.property.wide_scenarios import PROFILES, SETTINGS, wide_scenarios

IDLE, LIMIT = 100.0, 160.0
POWER = Power(
    how="estimated",
    source="made up",
    idle_watts=IDLE,
    limit_watts=LIMIT,
    joules_per_step=1.0,
    joules_per_token=0.01,
    joules_per_kv_token=0.001,
)


def powered(profile: ProfileDocument) -> ProfileDocument:
    """The same with power of both models."""
    found = profile.model_copy(deep=True)
    for part in (found.llm, found.embedding):
        if part is not None:
            part.power = POWER
    return found


POWERED = {name: powered(profile) for name, profile in PROFILES.items()}


@SETTINGS
@given(wide_scenarios())
def test_a_device_draws_no_less_than_idle_and_no_more_than_its_limit(document: ScenarioDocument) -> None:
    result = simulate(document, POWERED, 0, Path())
    devices = watts_by_device(result)
    for usage in result.backends:
        assert (usage.joules is None) == (usage.service is Service.RETRIEVER)
    for watts in devices.values():
        assert IDLE * (1 - 1e-9) <= watts <= LIMIT * (1 + 1e-9)
    for usage in result.backends:
        if usage.joules is not None and not usage.busy:
            assert usage.watts == pytest.approx(IDLE / sum(u.device == usage.device for u in result.backends))


def watts_by_device(result: SimulationResult) -> dict[str, float]:
    """Mean watts of all backends on each device."""
    found: dict[str, float] = defaultdict(float)
    for usage in result.backends:
        if usage.watts is not None:
            found[usage.device] += usage.watts
    return found


@SETTINGS
@given(wide_scenarios())
def test_power_changes_nothing_but_the_joules(document: ScenarioDocument) -> None:
    bare, counted = (simulate(document, profiles, 0, Path()) for profiles in (PROFILES, POWERED))
    for one, other in zip(bare.backends, counted.backends, strict=True):
        assert one.joules is None
        other.joules = None
        assert one == other
    assert [request.finished for request in bare.requests] == pytest.approx(
        [request.finished for request in counted.requests], nan_ok=True, rel=0
    )
