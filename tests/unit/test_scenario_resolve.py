"""resolve: variants, sweep points and presets in the order of who says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from simcore.control.presets import PRESETS
from simcore.errors import BadInput
from simcore.scenario.cluster import ControlPlaneSpec
from simcore.scenario.document import ScenarioDocument, Variant
from simcore.scenario.resolve import resolve, with_preset
from tests.unit.test_scenario_load import GOOD, load


def with_set(document: ScenarioDocument, values: dict[str, object]) -> ScenarioDocument:
    return resolve(document, Variant(name="v", set=values), None)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_control_plane(name: str) -> None:
    spec = ControlPlaneSpec.model_validate(with_preset({"preset": name}))
    assert spec.max_in_flight == 95


def test_a_policy_gives_ordering_and_routing() -> None:
    assert with_preset({"policy": "hybrid"}) == {
        "policy": "hybrid",
        "ordering": "hybrid",
        "routing": "hybrid",
    }
    assert with_preset({"policy": "hybrid", "routing": "least_kv"})["routing"] == "least_kv"


def test_what_is_said_wins_over_the_preset() -> None:
    merged = with_preset({"preset": "sage-implemented", "blocking_chat": False, "max_in_flight": None})
    assert (merged["blocking_chat"], merged["max_in_flight"]) == (False, None)
    assert (merged["routing"], merged["dispatch_period_ms"]) == ("first_acceptable", 100.0)
    assert with_preset({"preset": "sage-designed", "ordering": "fifo"})["routing"] == "adaptive"


def test_a_policy_set_by_a_variant_replaces_what_the_document_said(tmp_path: Path) -> None:
    said = "ordering: fifo\n  routing: round_robin"
    document = load(tmp_path, GOOD.replace("preset: sage-designed", said))
    plane = with_set(document, {"control_plane.policy": "slo_aware"}).control_plane
    assert (plane.ordering, plane.routing) == ("slo_aware", "slo_aware")
    both = {"control_plane.policy": "slo_aware", "control_plane.routing": "least_kv"}
    plane = with_set(document, both).control_plane
    assert (plane.ordering, plane.routing) == ("slo_aware", "least_kv")


def test_null_removes_a_name_and_clears_an_optional_value(tmp_path: Path) -> None:
    document = load(tmp_path, GOOD)
    cleared = with_set(document, {"streams.rag": None, "control_plane.max_in_flight": None})
    assert list(cleared.streams) == ["chat"]
    assert cleared.control_plane.max_in_flight is None


def test_an_absent_part_is_made(tmp_path: Path) -> None:
    resolved = with_set(load(tmp_path, GOOD), {"backends.llm.engine.max_num_seqs": 8})
    assert resolved.backends["llm"].model_dump()["engine"]["max_num_seqs"] == 8


def test_sweep_points_are_taken_times_their_factors(tmp_path: Path) -> None:
    text = GOOD.replace("arrivals.rate: 2}", "arrivals.rate: 2.3, backends.llm.count: 100}")
    document = load(tmp_path, text.replace("[1, 2.5, 4]", "[0.01, 2.3]"))
    resolved = resolve(document, document.variants[0], 2.3)
    assert resolved.backends["llm"].count == 230
    assert resolved.streams["chat"].model_dump()["arrivals"]["rate"] == pytest.approx(5.29)


def test_the_document_is_left_as_it_was(tmp_path: Path) -> None:
    document = load(tmp_path, GOOD)
    before = document.model_dump()
    with_set(document, {"streams.chat.enabled": False, "backends.llm.count": 5})
    assert document.model_dump() == before


def test_values_that_do_not_fit_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"backends\.llm\.count: found 0; allowed: a whole number at least 1"):
        with_set(load(tmp_path, GOOD), {"backends.llm.count": 0})


def test_sweep_values_are_one_for_each_point(tmp_path: Path) -> None:
    text = GOOD.replace(
        "  points: [1, 2.5, 4]\n", "  points: [1, 2.5, 4]\n  values: {duration_s: [300, 200, 150]}\n"
    )
    document = load(tmp_path, text)
    durations = [resolve(document, document.variants[0], point).duration_s for point in (1, 2.5, 4)]
    assert durations == [300, 200, 150]
