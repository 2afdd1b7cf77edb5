"""What a form misses: measured on what was left out of its fit, and in members as far off as that."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, sqrt

import numpy as np
import pytest

from benchmarks.accuracy.table_file import COMMITTED, read
from calibration.compose.form_error import COMPOSED
from calibration.derive.llmd import BETWEEN_RUNS
from calibration.derive.serving_benchmark import BenchmarkedServer, BenchmarkRun
from calibration.derive.serving_benchmark_error import Missed, form_errors
from calibration.derive.serving_benchmark_fit import Predicted
from calibration.fits.enginetime import fit_engine_time
from calibration.fits.form_error import NO_ERROR, FormError, form_error
from calibration.fits.frontend import FrontEndFit, ServerRun
from calibration.fits.held_out import engine_error, folds, longer, server_error
from calibration.fits.shared_draws import shared_own
from simcore.profile.sharing import Colocation, SharingLaw
from tests.unit.test_engine_time import SIZES, bare, served
from tests.unit.test_engine_time import load as steps
from tests.unit.test_frontend_fit import COSTS, DELAYS, load, seen
from tests.unit.test_sharing_law import EMBED, pair

TEN_PERCENT = log(1.1)


def test_the_interval_of_one_more_group_is_students() -> None:
    """Of two groups, one above and one below: 4.303 times the spread, as for a normal of known mean 0."""
    found = form_error([0.1, -0.1])
    assert (found.spread, found.groups) == (pytest.approx(0.1), 2)
    assert found.half == pytest.approx(0.43027, abs=1e-4)
    assert "10.0% (root mean square over 2 groups)" in found.said("steps")


def test_members_have_that_interval_and_those_of_two_parts_are_apart() -> None:
    error = FormError(0.05, 4)
    logs, others, *_ = parts = [np.log(error.factors(seed)) for seed in range(4)]
    assert 1.95996 * np.sqrt(np.mean(logs**2)) == pytest.approx(error.half, rel=1e-4)
    assert logs.mean() == pytest.approx(0.0, abs=1e-12)
    assert sorted(logs) == pytest.approx(sorted(others))
    assert np.abs(np.corrcoef(parts) - np.eye(4)).max() < 0.15
    assert NO_ERROR.factors(0, 3) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("groups", [2, 5])
def test_one_more_group_is_held_nineteen_times_in_twenty(groups: int) -> None:
    """Though two groups tell their spread badly, and half of the time too short."""
    deviations = np.random.default_rng(0).normal(0.0, 0.05, (4000, groups + 1))
    held = [abs(one[-1]) <= form_error(one[:-1].tolist()).half for one in deviations]
    assert 0.94 < np.mean(held) < 0.96


@pytest.mark.parametrize(("loads", "most", "count"), [(3, 5, 3), (7, 3, 3), (1, 5, 1)])
def test_each_load_is_left_out_once(loads: int, most: int, count: int) -> None:
    found = [*folds(range(loads), most)]
    assert len(found) == count
    assert sorted(one for _, left_out in found for one in left_out) == [*range(loads)]
    assert all(sorted([*others, *left_out]) == [*range(loads)] for others, left_out in found)


def test_a_load_whose_steps_took_a_tenth_longer_is_off_by_that() -> None:
    """Two loads are as the bare engine's steps say, the waves took 1.1 times as long."""
    logs = [served(steps(1)), served(steps(2))]
    slow = served(steps(3))
    slow = replace(slow, scheduled=1.1 * slow.scheduled, updated=1.1 * slow.updated)
    fit = fit_engine_time(bare(), logs, SIZES, members=0)
    exact = engine_error(bare(), logs, [], SIZES, fit)
    found = engine_error(bare(), logs, [ServerRun("waves", slow, [])], SIZES, fit)
    assert exact is not None
    assert found is not None
    assert found.groups == exact.groups + 1
    assert exact.spread < 0.005
    assert found.spread == pytest.approx(TEN_PERCENT / sqrt(found.groups), rel=0.15)


def test_a_load_whose_server_was_slower_is_off_by_that() -> None:
    """By the known costs three loads are explained; a fourth whose were half as much again is not."""
    fit = FrontEndFit(COSTS, DELAYS, {}, 0.0)
    usual = [seen(load(rate, seed, 60), COSTS) for seed, rate in enumerate((60.0, 110.0, 160.0))]
    alike = server_error([replace(run, kind=str(i)) for i, run in enumerate(usual)], fit)
    assert alike is not None
    # Of `seen` the way in is the engine's own and not these costs', so that even they are off a little.
    slower = seen(load(100.0, 3, 60), longer(fit, 1.5)[0])
    found = server_error([*usual, replace(slower, kind="odd")], fit)
    assert found is not None
    assert (alike.groups, found.groups) == (3, 4)
    assert found.spread > alike.spread
    assert server_error(usual[:1], fit) is None


def test_slowdowns_of_members_are_off_as_loads_left_out_are() -> None:
    """Loads by a law leave no doubt of it; one twice as slow as the others' law says leaves much."""
    pairs = [pair(texts, decodes=decodes) for texts in (10, 40, 160) for decodes in (2, 8)]
    odd = replace(pairs[0], shared_step=2.0 * pairs[0].shared_step)
    sides = {"llm": {"least": 1.4, "growth": 0.5}, "embedding": {"least": 1.2, "growth": 0.75}}
    law = SharingLaw.model_validate(sides)
    shared = Colocation(how="measured", llm_slowdown=1.6, embedding_slowdown=1.5, law=law)
    for own in shared_own(shared, pairs, EMBED):
        found = SharingLaw.model_validate(own["law"])
        assert found.llm.least == pytest.approx(1.4)
        assert found.embedding.growth == pytest.approx(0.75)
    drawn = [
        SharingLaw.model_validate(own["law"]).llm for own in shared_own(shared, [odd, *pairs[1:]], EMBED)
    ]
    assert np.std([side.growth for side in drawn]) > 0.1
    assert min(side.least for side in drawn) == 1.0, "nothing runs faster beside another"
    medians = shared_own(shared.model_copy(update={"law": None}), pairs, None)
    assert np.std([own["llm_slowdown"] for own in medians]) > 0.05


def test_what_the_calibrated_rates_do_not_fit_is_missed_elsewhere() -> None:
    """A wait that lacks 30 and 40 ms: 4.303 x 35.4 ms; a pace 10% off at one of two rates: 4.303 x 0.0674."""
    runs = [
        BenchmarkRun(rate, 200, 1, 1, 1.0, {("TTFT", "mean"): ttft, ("TPOT", "mean"): tpot})
        for rate, ttft, tpot in ((1.0, 0.13, 0.011), (8.0, 0.14, 0.01))
    ]
    said = [{rate: {("TTFT", "mean"): 0.1, ("TPOT", "mean"): 0.01} for rate in (1.0, 8.0)}] * 3
    found = form_errors(BenchmarkedServer("m", "g", 1, runs), (1.0, 8.0), said)
    assert found["TTFT", "mean"].seconds == pytest.approx(4.3027 * 0.035355, rel=1e-3)
    assert found["TPOT", "mean"].logarithm == pytest.approx(4.3027 * TEN_PERCENT / sqrt(2), rel=1e-3)
    low, high = found["TTFT", "mean"].around(Predicted(0.1, (0.1, 0.1))).interval
    assert (low, high) == (0.0, pytest.approx(0.1 + 0.15213, rel=1e-3))


def test_what_is_missed_adds_to_what_members_leave_open_as_squares() -> None:
    wait = Missed(seconds=0.03).around(Predicted(0.1, (0.06, 0.14)))
    pace = Missed(logarithm=0.3).around(Predicted(1.0, (exp(-0.4), exp(0.4))))
    assert wait.interval == pytest.approx((0.05, 0.15))
    assert pace.interval == pytest.approx((exp(-0.5), exp(0.5)))


def test_composed_servers_and_repeated_loads_are_off_as_the_table_says() -> None:
    squares: dict[str, list[float]] = {}
    pairs = set()
    for row in read(COMMITTED):
        if row.metric == "TPOT" and "mean" in row.figures:
            figure = row.figures["mean"]
            if row.data in ("ml_energy", "aiconfigurator"):
                group = row.many[-1] if row.data == "ml_energy" else " ".join(row.case.split()[1:3])
                squares.setdefault(group, []).append(log(figure.simulated / figure.measured) ** 2)
            elif figure.floor is not None:
                pairs.add(figure.floor)
    spread = sqrt(np.mean([np.mean(each) for each in squares.values()]))
    assert (COMPOSED.spread, COMPOSED.groups) == (pytest.approx(spread, abs=1e-3), len(squares))
    repeats = sqrt(np.mean(np.log1p(sorted(pairs)) ** 2) / 2)
    assert (BETWEEN_RUNS.spread, BETWEEN_RUNS.groups) == (pytest.approx(repeats, abs=1e-3), len(pairs))
