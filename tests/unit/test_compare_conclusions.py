"""Conclusions: the machine and the simulator rank variants alike, tie alike, or do not."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from simcore.request import Request
from tests.factories import poisson
from tests.unit.compare_support import (
    CHAT,
    CLAIM,
    EMBED,
    VARIANTS,
    case,
    document,
    embeddings,
    queueing,
    repetitions,
)
from validate.compare.judge import judge
from validate.compare.ratios import agree, ratio_of
from validate.compare.verdict import Ratio, Verdict

RESAMPLES = 100


def ratio(value: float, low: float, high: float) -> Ratio:
    return Ratio(value=value, ci95=(low, high))


@pytest.mark.parametrize(
    ("live", "simulated", "expected"),
    [
        (ratio(0.5, 0.4, 0.6), ratio(0.7, 0.6, 0.8), True),
        (ratio(0.5, 0.4, 0.6), ratio(1.2, 1.1, 1.3), False),
        (ratio(0.9, 0.8, 1.1), ratio(1.1, 0.9, 1.2), True),
        (ratio(0.97, 0.9, 1.05), ratio(0.95, 0.93, 0.97), True),
        (ratio(0.5, 0.4, 0.6), ratio(0.99, 0.95, 1.04), False),
        (Ratio(value=0.5, ci95=None), ratio(0.5, 0.4, 0.6), None),
        (Ratio(value=None, ci95=None), ratio(0.5, 0.4, 0.6), None),
    ],
    ids=["both lower", "opposite", "both tie", "tie allows", "tie excludes", "no interval", "no ratio"],
)
def test_what_agrees(live, simulated, expected):
    assert agree(live, simulated) is expected
    assert agree(simulated, live) is expected


def means(rows):
    return np.asarray(rows.mean(axis=-1))


def test_a_ratio_is_the_geometric_mean_over_pairs_of_repetitions():
    of = [np.full(20, 2.0), np.full(20, 8.0), np.full(20, 99.0)]
    found = ratio_of(of, [np.full(20, 1.0), np.full(20, 1.0)], means, 0, 50)
    assert found.value == pytest.approx(4)
    assert found.ci95 == (pytest.approx(2), pytest.approx(8))


def test_there_is_no_ratio_to_nothing():
    ones, zeros, none = [np.ones(20)], [np.zeros(20)], [np.array([])]
    assert ratio_of(ones, zeros, means, 0, 50).value is None
    assert ratio_of(ones, none, means, 0, 50).value is None
    assert ratio_of([], ones, means, 0, 50).value is None
    rare = [np.append(np.zeros(19), 1.0)]
    assert ratio_of(rare, ones, means, 0, 200).ci95 is None


def compared(live: dict[str, float], simulated: dict[str, float], **parts) -> Verdict:
    """Variants whose latencies are so many times those of the queue, on the machine and in the simulator."""
    cases = [
        case(
            repetitions(partial(queueing, slower=live[name]), 1),
            repetitions(partial(queueing, slower=simulated[name]), 2),
            variant=name,
        )
        for name in live
    ]
    return judge(document(claim=True, **parts), cases, resamples=RESAMPLES)


def test_the_claim_is_compared_as_a_ratio_with_intervals():
    found = compared({"fast": 0.5, "slow": 1.0}, {"fast": 0.5, "slow": 1.0})
    (claim,) = found.conclusions
    assert (claim.kind, claim.agrees) == ("claim", True)
    assert claim.live.value == pytest.approx(0.5)
    assert claim.live.ci95[0] <= 0.5 <= claim.live.ci95[1]
    assert "they agree, and the claim holds on the machine" in claim.sentence
    assert found.rankings[0].live == found.rankings[0].simulated == ["'fast'", "'slow'"]
    assert found.passed


def test_a_simulator_that_ranks_the_wrong_way_round_fails():
    found = compared({"fast": 0.97, "slow": 1.0}, {"fast": 1.0, "slow": 0.97})
    assert found.median_error < 0.08
    assert [one.agrees for one in (*found.conclusions, *found.rankings)] == [False, False]
    assert found.state == "failed"
    assert "they disagree" in found.reasons[0]
    assert "0 of 1 pairs agree" in found.rankings[0].sentence


def test_a_tie_on_both_sides_agrees():
    found = compared({"fast": 1.0, "slow": 1.0}, {"fast": 1.0, "slow": 1.0})
    assert found.conclusions[0].agrees is True
    assert "a tie" in found.conclusions[0].sentence
    assert "the claim does not hold on the machine" in found.conclusions[0].sentence


def test_a_scenario_without_claim_draws_no_conclusion():
    cases = [case(repetitions(queueing, 1), repetitions(queueing, 2))]
    found = judge(document(), cases, resamples=RESAMPLES)
    assert found.conclusions == found.rankings == []


def test_points_of_a_sweep_are_ranked_apart():
    resolved = document()
    cases = [
        case(repetitions(partial(queueing, slower=s), 1), repetitions(partial(queueing, slower=s), 2), v, p)
        for p in (1.0, 2.0)
        for v, s in (("fast", 0.5), ("slow", 1.0))
    ]
    found = judge(document(claim=True), cases, resamples=RESAMPLES)
    assert [one.of for one in found.conclusions] == ["'fast' at 1", "'fast' at 2"]
    assert [one.point for one in found.rankings] == [1.0, 2.0]
    assert resolved.sweep is None


def test_the_isolation_factor_is_over_the_stream_alone():
    both = document(streams={"embed": EMBED, "chat": CHAT})
    alone = document(streams={"embed": EMBED, "chat": CHAT | {"enabled": False}})
    cases = [
        case(
            repetitions(partial(queueing, slower=s), 1),
            repetitions(partial(queueing, slower=s), 2),
            v,
            None,
            d,
        )
        for v, s, d in (("alone", 1.0, alone), ("slow", 3.0, both), ("fast", 1.5, both))
    ]
    found = judge(document(claim=True), cases, resamples=RESAMPLES)
    factors = {(one.of, one.over): one for one in found.conclusions if one.kind == "isolation_factor"}
    assert factors["'slow'", "'alone'"].live.value == pytest.approx(3)
    assert factors["'fast'", "'alone'"].simulated.value == pytest.approx(1.5)
    assert len(factors) == 2
    assert found.rankings[0].live == ["'alone'", "'fast'", "'slow'"]


def test_unified_over_separate_has_a_ratio_of_its_own():
    planes = {"slow": "separate", "fast": "unified"}
    cases = [
        case(
            repetitions(partial(queueing, slower=s), 1),
            repetitions(partial(queueing, slower=s), 2),
            v,
            None,
            document(control_plane={"kind": planes[v]}),
        )
        for v, s in (("slow", 1.0), ("fast", 0.8))
    ]
    found = judge(document(claim=True), cases, resamples=RESAMPLES)
    (one,) = [one for one in found.conclusions if one.kind == "unified_over_separate"]
    assert (one.of, one.over) == ("'fast'", "'slow'")
    assert one.live.value == pytest.approx(0.8)


def steady(per_second: float) -> list[Request]:
    return embeddings(np.full(round(100 * per_second), 0.05), gap=1 / per_second)


def test_speed_up_is_throughput_over_that_of_the_fewest_backends():
    cases = []
    for count, live, simulated in ((1, 5.0, 5.0), (2, 10.0, 9.5), (4, 18.0, 20.0)):
        backend = {"kind": "embedding", "profile": "test", "count": count}
        resolved = document(backends={"embedding": backend})
        cases.append(case([steady(live)] * 2, [steady(simulated)] * 2, "default", float(count), resolved))
    found = judge(document(), cases, resamples=RESAMPLES)
    assert [one.live.value for one in found.conclusions] == pytest.approx([2, 3.6], rel=0.02)
    assert [one.simulated.value for one in found.conclusions] == pytest.approx([1.9, 4], rel=0.02)
    assert all(one.agrees for one in found.conclusions)
    assert "on 4 times the backends" in found.conclusions[1].sentence


def test_a_claim_about_goodput_is_judged_on_goodput():
    stream = EMBED | {"slo": {"e2el_ms": 40}, "arrivals": poisson(6)}
    claim = CLAIM | VARIANTS | {"metric": "request_goodput", "better": "higher"}
    resolved = document(streams={"embed": stream})
    cases = [
        case(
            repetitions(partial(queueing, slower=s), 1),
            repetitions(partial(queueing, slower=s), 2),
            v,
            None,
            resolved,
        )
        for v, s in (("slow", 1.5), ("fast", 1.0))
    ]
    found = judge(document(claim=True, streams={"embed": stream}, verdict=claim), cases, resamples=RESAMPLES)
    assert found.conclusions[0].live.value > 1
    assert found.conclusions[0].agrees is True
    assert "request goodput of embed" in found.conclusions[0].sentence


def test_a_goodput_of_0_is_not_judged_and_withholds():
    stream = EMBED | {"slo": {"e2el_ms": 1}}
    claim = CLAIM | VARIANTS | {"metric": "request_goodput", "better": "higher"}
    resolved = document(streams={"embed": stream})
    cases = [
        case(repetitions(queueing, 1), repetitions(queueing, 1), v, None, resolved) for v in ("slow", "fast")
    ]
    found = judge(document(claim=True, streams={"embed": stream}, verdict=claim), cases, resamples=RESAMPLES)
    assert found.conclusions[0].agrees is None
    assert "no ratio, for 0 is on one side" in found.conclusions[0].sentence
    assert found.state == "withheld"
