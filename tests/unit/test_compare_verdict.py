"""The verdict: the same process passes, a wrong one fails, and a bad measurement proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from simcore.request import Outcome
from tests.unit.compare_support import (
    CHAT,
    EMBED,
    case,
    chats,
    document,
    embeddings,
    queueing,
    repetitions,
)
from validate.compare.judge import judge
from validate.compare.verdict import Figure, Tolerances, Verdict

RESAMPLES = 60


def verdict(simulated=queueing, seed: int = 1, live_count: int = 3, **facts) -> Verdict:
    live = repetitions(queueing, 2 * seed, live_count, work=seed)
    cases = [case(live, repetitions(simulated, 2 * seed + 1, work=seed), **facts)]
    return judge(document(), cases, resamples=RESAMPLES)


def figures(found: Verdict) -> dict[str, Figure]:
    return {figure.statistic: figure for figure in found.comparisons[0].figures}


def sentences(found: Verdict) -> Iterator[str]:
    yield from [found.sentence, *found.reasons]
    parts = [*found.completions, *found.conclusions, *found.rankings]
    yield from [one.sentence for one in parts]
    yield from [figure.sentence for one in found.comparisons for figure in one.figures]


def test_an_identical_process_passes_for_nine_seeds_of_ten():
    found = [verdict(seed=seed) for seed in range(40)]
    passed = sum(one.passed for one in found)
    assert passed >= 36, [one.reasons for one in found if not one.passed]


@pytest.mark.parametrize(
    "wrong", [partial(queueing, slower=1.3), partial(queueing, later=0.005), partial(queueing, slower=0.75)]
)
def test_a_wrong_process_fails_and_says_by_how_much(wrong):
    for seed in range(5):
        found = verdict(wrong, seed)
        assert found.state == "failed"
        assert found.reasons[0].startswith("The median error over 5 figures is ")
        assert found.median_error is not None
        assert found.median_error > 0.08
        assert figures(found)["p50"].state == "failed"


def test_a_figure_says_live_simulated_error_interval_and_tolerance():
    found = verdict(partial(queueing, later=0.005))
    p50 = figures(found)["p50"]
    assert p50.error_ms == pytest.approx(5, abs=1.5)
    assert p50.error == pytest.approx(p50.error_ms / p50.live_ms)
    assert p50.error_ms_ci95[0] < p50.error_ms < p50.error_ms_ci95[1]
    assert p50.error_ci95[0] > 0
    assert (p50.tolerance, figures(found)["p99"].tolerance) == (0.08, 0.20)
    one = found.comparisons[0]
    assert one.wasserstein_ms == pytest.approx(5, abs=1.5)
    assert one.kolmogorov_smirnov > one.kolmogorov_smirnov_floor
    assert one.live_requests == one.simulated_requests == [600, 600, 600]
    assert one.state == "failed"


def far(shift: float):
    return [embeddings(np.linspace(0.1, 0.2, 600) + shift)] * 2


def test_beyond_the_tolerance_the_floor_decides():
    noisy = [embeddings(np.linspace(0.1, 0.2, 600) + late) for late in (0.0, 0.04)]
    found = figures(judge(document(), [case(noisy, far(0.05))], resamples=RESAMPLES))
    assert found["mean"].error == pytest.approx(0.03 / 0.17)
    assert (found["mean"].state, found["mean"].floor_ms) == ("passed", pytest.approx(40))
    assert "beyond 8%, but within the floor of 40 ms" in found["mean"].sentence
    steady = figures(judge(document(), [case(far(0.02), far(0.05))], resamples=RESAMPLES))
    assert (steady["mean"].state, steady["mean"].floor_ms) == ("failed", 0)
    assert "beyond the tolerance of 8% and the floor of 0 ms" in steady["mean"].sentence


def test_one_live_repetition_has_no_floor_and_says_so():
    found = verdict(partial(queueing, later=0.005), live_count=1)
    assert figures(found)["p50"].floor_ms is None
    assert "1 live repetition shows no floor" in figures(found)["p50"].sentence


def test_a_p99_alone_beyond_its_tolerance_fails():
    stretched = np.linspace(0.1, 0.2, 600)
    stretched[590:] *= 1.5
    found = judge(document(), [case(far(0.0), [embeddings(stretched)] * 2)], resamples=RESAMPLES)
    assert found.state == "failed"
    assert [one.split(":")[0] for one in found.reasons] == ["p99 E2EL of embed with 'default'"]


def test_declared_tolerances_count():
    cases = [case(repetitions(queueing, 1), repetitions(partial(queueing, later=0.005), 2))]
    wide = Tolerances(mean=0.5, p50=0.5, p90=0.5, p95=0.5, p99=0.5, median_error=0.5)
    assert judge(document(), cases, wide, RESAMPLES).passed
    assert judge(document(), cases, wide, RESAMPLES).tolerances == wide


def test_a_late_replayer_withholds_what_starts_at_sending():
    streams = {"chat": CHAT}
    rng = np.random.default_rng(3)
    live = [chats(0.02 + rng.uniform(0, 0.01, 600), np.full(600, 0.005)) for _ in range(2)]
    resolved = document(streams=streams)
    found = judge(resolved, [case(live, live, resolved=resolved, lag_ms=1.5)], resamples=RESAMPLES)
    states = {one.metric: one.state for one in found.comparisons}
    assert states == {"ttft": "withheld", "tpot": "passed", "e2el": "passed"}
    assert found.state == "withheld"
    assert "1.5 ms late (p99), more than 5% of the live median of 25" in found.reasons[0]
    assert found.lags[0].p99_ms == pytest.approx(1.5)


def test_a_lag_that_nobody_recorded_withholds():
    found = verdict()
    bare = case(repetitions(queueing, 1), repetitions(queueing, 2))
    bare = type(bare)(bare.variant, None, bare.document, bare.live, bare.simulated, np.array([]))
    assert found.passed
    withheld = judge(document(), [bare], resamples=RESAMPLES)
    assert withheld.state == "withheld"
    assert "not recorded" in withheld.reasons[0]


def test_other_outcomes_withhold_even_where_latencies_agree():
    def failing(rng, work):
        requests = queueing(rng, work)
        for one in requests[::10]:
            one.outcome = Outcome.FAILED
        return requests

    found = verdict(failing)
    assert found.state == "withheld"
    assert "100% completed on the machine and 90% in the simulator" in found.reasons[0]
    assert found.completions[0].state == "withheld"


def test_outcomes_that_differ_no_more_than_repetitions_do_not_withhold():
    live = repetitions(queueing, 1)
    for one in live[0][::10]:
        one.outcome = Outcome.FAILED
    found = judge(document(), [case(live, repetitions(queueing, 2))], resamples=RESAMPLES)
    assert found.completions[0].floor == pytest.approx(0.1)
    assert found.completions[0].state == "passed"


def test_too_few_requests_for_a_p99_withhold_and_say_so():
    short = partial(queueing, n=160)
    live, simulated = repetitions(short, 1), repetitions(short, 2)
    found = judge(document(), [case(live, simulated)], resamples=RESAMPLES)
    states = {name: one.state for name, one in figures(found).items()}
    assert states["p95"] != "withheld"
    assert states["p99"] == "withheld"
    assert found.state == "withheld"
    assert "p99 needs 500 requests over all repetitions and there are 480" in found.reasons[0]


def test_a_fault_found_outweighs_too_few_requests():
    wrong = partial(queueing, n=160, slower=1.5)
    found = judge(document(), [case(repetitions(queueing, 1), repetitions(wrong, 2))], resamples=RESAMPLES)
    assert found.state == "failed"


def test_a_repetition_without_requests_withholds():
    live, simulated = repetitions(queueing, 1), repetitions(queueing, 2)
    found = judge(document(), [case([*live, []], simulated)], resamples=RESAMPLES)
    assert found.state == "withheld"
    assert "1 of 4 live repetitions and 0 of 3 simulated replications have no such" in found.reasons[0]
    assert found.comparisons == []


def test_nothing_compared_is_no_pass():
    found = judge(document(), [], resamples=RESAMPLES)
    assert (found.state, found.median_error, found.worst_error) == ("withheld", None, None)
    assert found.reasons == ["0 figures could be judged."]


def test_a_live_value_of_0_has_no_relative_error():
    still = [embeddings(np.zeros(600))] * 2
    found = judge(document(), [case(still, far(0.0))], resamples=RESAMPLES)
    p50 = figures(found)["p50"]
    assert (p50.error, p50.error_ci95, p50.state) == (None, None, "withheld")


def test_streams_and_variants_are_judged_apart():
    streams = {"chat": CHAT, "embed": EMBED}
    resolved = document(streams=streams)
    rng = np.random.default_rng(4)

    def both(scale: float):
        ttft, tpot = rng.uniform(0.02, 0.03, 600), rng.uniform(0.004, 0.006, 600)
        return [*chats(scale * ttft, tpot), *embeddings(rng.uniform(0.02, 0.03, 600))]

    cases = [
        case([both(1.0), both(1.0)], [both(scale)], variant=name, resolved=resolved)
        for name, scale in (("right", 1.0), ("wrong", 1.4))
    ]
    found = judge(resolved, cases, resamples=RESAMPLES)
    failed = {(one.variant, one.stream, one.metric) for one in found.comparisons if one.state == "failed"}
    assert failed == {("wrong", "chat", "ttft"), ("wrong", "chat", "e2el")}
    assert found.median_error < 0.08
    assert found.state == "failed"


def test_the_document_survives_json():
    found = verdict(partial(queueing, later=0.005))
    assert Verdict.model_validate_json(found.model_dump_json()) == found
    assert '"schema_version":1' in found.model_dump_json()
    withheld = verdict(live_count=1, lag_ms=50)
    assert Verdict.model_validate_json(withheld.model_dump_json(indent=2)) == withheld


def test_every_sentence_says_numbers():
    found = [
        verdict(),
        verdict(partial(queueing, slower=1.3)),
        verdict(lag_ms=50),
        verdict(live_count=1),
        judge(document(), [], resamples=RESAMPLES),
    ]
    for one in found:
        assert "conclusion" not in one.sentence  # of none, none is the same
        for sentence in sentences(one):
            assert any(character.isdigit() for character in sentence), sentence
            assert sentence.endswith(".")
            assert "nan" not in sentence


def test_a_verdict_is_the_same_for_the_same_measurements():
    assert verdict() == verdict()


def test_the_paces_of_the_machine_are_told() -> None:
    live = [embeddings(np.linspace(0.1, 0.2, 200)) for _ in range(2)]
    found = judge(document(), [replace(case(live, live), machine_paces=[1.125, None])], resamples=20)
    assert [one.factors for one in found.machine_paces] == [[1.125, None]]
    assert "took 1.12 and an unknown number of times as long" in found.machine_paces[0].sentence
    assert found.pace is None
    told = found.model_copy(update={"median_error_as_calibrated": 0.11}).pace
    assert told is not None
    assert "1.12 to 1.12 times" in told
    assert told.endswith("would be 11%.")


def test_where_none_is_known_no_pace_is_told() -> None:
    live = [embeddings(np.linspace(0.1, 0.2, 200)) for _ in range(2)]
    unknown = replace(case(live, live), machine_paces=[None, None])
    assert judge(document(), [unknown], resamples=20).machine_paces == []
