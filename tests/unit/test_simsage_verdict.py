"""A claim holds only if the whole interval of the paired ratio lies on the better side of 1."""

from __future__ import annotations

from math import inf
from types import SimpleNamespace

import pytest

from simcore.scenario.document import VerdictSpec
from simsage.metrics import Sample
from simsage.verdict import judge


def spec(**changes):
    made = {"claim": "It helps", "stream": "web", "metric": "ttft", "variant": "new", "baseline": "old"}
    return VerdictSpec.model_validate(made | changes)


def runs(values, name="p99_ttft_ms", completed=100, point=None):
    made = []
    for variant, series in values.items():
        for number, value in enumerate(series):
            sample = Sample("web", "", 100, {"completed": completed}, {name: value})
            made.append(
                SimpleNamespace(
                    cell=SimpleNamespace(variant=variant, point=point, replication=number), samples=[sample]
                )
            )
    return made


def test_a_clear_effect_holds():
    verdict = judge(spec(), runs({"old": [100, 120, 110], "new": [50, 61, 54]}))
    assert verdict.holds
    assert verdict.points[0].ratio.value == pytest.approx(0.5, abs=0.01)
    assert verdict.sentence.startswith("Holds: web p99 TTFT with 'new' is 0.")


def test_an_interval_that_includes_one_does_not_hold():
    verdict = judge(spec(), runs({"old": [100, 120, 110], "new": [50, 180, 100]}))
    assert not verdict.holds
    assert "includes no effect" in verdict.sentence


def test_the_opposite_effect_does_not_hold_and_is_said():
    values = {"old": [50, 61, 54], "new": [100, 120, 110]}
    assert "the effect is the opposite" in judge(spec(), runs(values)).sentence
    assert judge(spec(better="higher"), runs(values)).holds


def test_one_replication_judges_nothing():
    verdict = judge(spec(), runs({"old": [100], "new": [1]}))
    assert not verdict.holds
    assert verdict.sentence.startswith("Not judged")


def test_no_ratio_to_nothing():
    goodput = runs({"old": [0.0, 1.0], "new": [2.0, 2.0]}, name="request_goodput")
    verdict = judge(spec(metric="request_goodput", better="higher"), goodput)
    assert not verdict.holds
    assert verdict.points[0].ratio.value is None


def test_lost_requests_are_told_beside_latencies():
    verdict = judge(spec(), runs({"old": [100, 120], "new": [50, 60]}, completed=80))
    assert "20.0% with old" in verdict.sentence


def test_a_sweep_holds_only_at_every_point():
    good = runs({"old": [100, 120, 110], "new": [50, 61, 54]}, point=1.0)
    none = runs({"old": [100, 120, 110], "new": [101, 119, 110]}, point=2.0)
    verdict = judge(spec(), good + none)
    assert not verdict.holds
    assert [one.holds for one in verdict.points] == [True, False]
    assert "shown at 1 of 2 points (1)" in verdict.sentence


def test_a_percentile_among_the_lost_decides_against_who_lost_them():
    """1.4 in a hundred give up after 10 s: the p99 of all is 10 s or more, whatever the rest got."""
    made = runs({"old": [100, 120], "new": [50, 60]}, completed=100)
    lossy = [run for run in made if run.cell.variant == "new"]
    for run in lossy:
        run.samples[0].with_lost = {"p99_ttft_ms": inf}
        run.samples[0].outcomes["completed"] = 98
    found = judge(spec(), made)
    assert not found.holds
    assert found.points[0].ratio.value is None
    assert found.sentence.startswith(
        "Does not hold: web p99 TTFT with 'new' lies among the requests that were"
    )
    assert "2.0% with new" in found.sentence
    turned = judge(spec(variant="old", baseline="new"), made)
    assert turned.sentence.startswith("Not judged")
