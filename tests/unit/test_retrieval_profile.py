"""A retriever on a profile: exact times, warnings beyond what was measured, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.errors import BadInput
from simcore.profile.document import ProfileDocument
from simcore.profile.retrieval import RetrievalProfile
from simcore.profile.searchtime import SearchTime
from simcore.result import SimulationResult
from simcore.simulation import simulate
from simsage.profiles import load_profiles
from tests.factories import FIT, constant, profile, scenario
from tests.unit.test_scenario_load import GOOD, faults, load, only

LOOK_UPS = {"look": {"kind": "retrieval", "arrivals": {"process": "constant", "rate": 125.0}}}
INDEX = {"kind": "retriever", "profile": "index", "k": 10, "concurrency": 2}
GIVEN = "service_time_ms: {distribution: exponential, mean: 20}"


def index(residuals: list[float] | None = None, **parts: Any) -> ProfileDocument:
    """An index that takes 10 ms and 1 ms a result, twice as long with two at once."""
    part = {
        "index": "Flat",
        "vectors": 1000,
        "dimension": 8,
        "search_time": {"constant": 0.01, "per_k": 0.001},
        "concurrency": [(1, 1.0), (4, 4.0)],
        "residuals": residuals or [],
        "k_range": (1.0, 100.0),
        "fit": FIT,
    }
    retrieval = RetrievalProfile.model_validate(part | parts)
    return profile().model_copy(update={"retrieval": retrieval})


def run(document: ProfileDocument, duration: float = 0.03, **backend: Any) -> SimulationResult:
    parts = scenario(duration_s=duration, streams=LOOK_UPS, backends={"search": INDEX | backend})
    return simulate(parts, {"index": document}, 0, Path())


def ends(result: SimulationResult) -> list[float]:
    return [round(1e3 * request.finished, 6) for request in result.requests]


@pytest.mark.parametrize(
    ("under_way", "slowdown"), [(1, 1.0), (2, 1.5), (3, 2.0), (5, 4.0), (7, 6.0), (9, 8.0)]
)
def test_the_slowdown_is_linear_between_marks_and_goes_on_beyond_them(
    under_way: int, slowdown: float
) -> None:
    time = SearchTime(0.01, 0.001, ((1, 1.0), (3, 2.0), (5, 4.0)))
    assert time.slowdown(under_way) == pytest.approx(slowdown)
    assert time(5, under_way) == pytest.approx(0.015 * slowdown)


def test_without_marks_nothing_slows_a_look_up_down_and_nothing_ever_speeds_it_up() -> None:
    assert SearchTime(0.01)(5, 9) == 0.01
    assert SearchTime(0.01, marks=((1, 1.0), (2, 1.0)))(5, 9) == 0.01
    assert SearchTime(0.01, marks=((2, 2.0), (4, 4.0))).slowdown(1) == 1.0


def test_where_the_time_of_look_ups_goes() -> None:
    """They come every 8 ms: alone one takes 20 ms; beside another 40, and the third waits for a server."""
    assert ends(run(index())) == [20.0, 48.0, 60.0, 88.0]


def test_k_makes_a_look_up_longer() -> None:
    assert ends(run(index(), duration=0.005, k=50)) == [60.0]


def test_residuals_are_drawn_unless_left_out() -> None:
    doubled = index([2.0, 2.0, 2.0])
    assert ends(run(doubled, duration=0.005)) == [40.0]
    assert ends(run(doubled, duration=0.005, sample_residuals=False)) == [20.0]


def test_leaving_the_measured_range_warns_with_numbers() -> None:
    result = run(index(k_range=(1.0, 5.0), concurrency=[(1, 1.0)]))
    assert sorted(map(str, result.range_excesses)) == [
        "profile index was left: look-ups under way up to 2, 2.00 times the most measured, 1",
        "profile index was left: results of a look-up up to 10, 2.00 times the most measured, 5",
    ]
    assert not run(index()).range_excesses


def test_the_usage_names_the_profile() -> None:
    assert [usage.profile for usage in run(index()).backends] == ["index"]


@pytest.mark.parametrize(
    ("said", "key", "found", "allowed"),
    [
        ("count: 1", "", "neither service_time_ms nor profile", "exactly one of them"),
        (f"{GIVEN}, profile: a100, k: 3", "", "both service_time_ms and profile", "exactly one of them"),
        ("profile: a100", ".k", "nothing", "a whole number at least 1: a profile's times need"),
        (f"{GIVEN}, k: 3", ".k", "3", "nothing: times that are given do not depend on it"),
        ("profile: a100, k: 0", ".k", "0", "a whole number at least 1"),
    ],
)
def test_times_are_either_given_or_a_profiles_for_k(
    tmp_path: Path, said: str, key: str, found: str, allowed: str
) -> None:
    fault = only(tmp_path, GOOD.replace(GIVEN, said))
    assert fault[:3] == (24, f"backends.search{key}", found)
    assert fault[3].startswith(allowed)


def test_a_variant_may_go_from_given_times_to_a_profile(tmp_path: Path) -> None:
    to = "backends.search.service_time_ms: null, backends.search.profile: a100, backends.search.k: 5"
    assert load(tmp_path, GOOD.replace("control_plane.kind: separate", to)).variants[1].set
    halfway = GOOD.replace("control_plane.kind: separate", "backends.search.profile: a100")
    assert [f.key for f in faults(tmp_path, halfway)] == ["variants.1.set.backends.search.profile"]


def test_the_profile_is_checked_where_it_is_named(tmp_path: Path) -> None:
    text = GOOD.replace(GIVEN, "profile: nowhere, k: 5").replace(
        "preset: sage-designed", "costs_profile: nowhere"
    )
    said = {f.key: f.line for f in faults(tmp_path, text, profile_check=_missing)}
    assert said == {"backends.search.profile": 24, "control_plane.costs_profile": 28}


def test_profiles_are_loaded_and_must_have_what_they_are_named_for(tmp_path: Path) -> None:
    (tmp_path / "index").write_text(index().to_json())
    (tmp_path / "test").write_text(profile().to_json())
    fine = scenario(streams=LOOK_UPS, backends={"search": INDEX})
    assert load_profiles([fine], tmp_path)["index"].retrieval == index().retrieval
    for wrong, key in [
        (scenario(streams=LOOK_UPS, backends={"search": INDEX | {"profile": "test"}}), "search.profile"),
        (scenario(streams=LOOK_UPS, control_plane={"costs_profile": "index"}), "control_plane.costs_profile"),
    ]:
        with pytest.raises(BadInput) as caught:
            load_profiles([wrong], tmp_path)
        (fault,) = caught.value.faults
        assert fault.key.endswith(key)
        assert "llm and embedding" in fault.found


def test_given_times_are_drawn_as_before() -> None:
    given = {"kind": "retriever", "service_time_ms": constant(5), "concurrency": 2}
    result = simulate(scenario(duration_s=0.03, streams=LOOK_UPS, backends={"search": given}), {}, 0, Path())
    assert ends(result) == [5.0, 13.0, 21.0, 29.0]
    assert [usage.profile for usage in result.backends] == ["given"]


def _missing(name: str) -> str | None:
    return "no such profile" if name == "nowhere" else None
