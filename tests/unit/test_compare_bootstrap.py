"""Intervals cover as often as they say where requests are alike, and drawing one by one does not."""

from __future__ import annotations

import numpy as np
import pytest

from simcore.metrics import Floats
from tests.unit.compare_support import autoregressive, waits
from validate.compare.block_length import block_length
from validate.compare.bootstrap import mean_of_picks, percentile_interval, resample
from validate.compare.distance import kolmogorov_smirnov, pooled, statistics_of, wasserstein
from validate.compare.intervals import intervals
from validate.compare.latencies import Samples

TRIALS = 80
"""Two standard errors of a share of 90% are 7 points."""
RESAMPLES = 250
UNIT = Samples("embed", "e2el", (np.ones(20), np.ones(20)), (np.ones(20), np.ones(20)))


def means(rows: Floats) -> Floats:
    return np.asarray(rows.mean(axis=-1))


def coverage(make, truth: float, block: float | None = None) -> float:
    """How often the interval of the mean of one series holds the true mean."""
    covered = 0
    for trial in range(TRIALS):
        series = make(np.random.default_rng([5, trial]))
        drawn = resample([[series]], block or block_length(series), means, trial, RESAMPLES)
        low, high = percentile_interval(drawn[0][0])
        covered += low <= truth <= high
    return covered / TRIALS


def test_the_mean_of_an_autoregression_is_covered_and_one_by_one_is_not():
    def series(rng):
        return autoregressive(rng, 1000, 0.8)

    assert 0.82 <= coverage(series, 0.0) <= 1.0
    assert coverage(series, 0.0, block=1.0) < 0.65


def test_the_mean_wait_of_a_queue_is_covered_and_one_by_one_is_not():
    def series(rng):
        return waits(rng, 1500, load=0.5)

    assert 0.82 <= coverage(series, 1.0) <= 1.0
    assert coverage(series, 1.0, block=1.0) < 0.65


def test_errors_and_distances_of_two_like_queues_include_none():
    trials, errors, distances = 40, np.zeros(5), np.zeros(2)
    for trial in range(trials):
        rng = np.random.default_rng([6, trial])
        live, simulated = (tuple(waits(rng, 600, load=0.6) for _ in range(3)) for _ in range(2))
        found = intervals(Samples("embed", "e2el", live, simulated), trial, 100)
        errors += [low <= 0 <= high for low, high in found.errors]
        distances += [found.kolmogorov_smirnov[0] == 0, found.wasserstein[0] == 0]
    assert np.all(errors / trials >= 0.85)
    assert np.all(distances / trials >= 0.85)


def test_the_interval_of_a_distance_holds_it_and_leaves_0_out_where_there_is_one():
    rng = np.random.default_rng(7)
    live = tuple(rng.exponential(1, 800) for _ in range(3))
    simulated = tuple(1.5 * rng.exponential(1, 800) for _ in range(3))
    found = intervals(Samples("embed", "e2el", live, simulated), 0, 200)
    assert 0 < found.kolmogorov_smirnov[0] < kolmogorov_smirnov(pooled(live), pooled(simulated))
    assert found.wasserstein[0] < wasserstein(pooled(live), pooled(simulated)) < found.wasserstein[1]
    assert found.wasserstein[0] < 0.5 < found.wasserstein[1]
    assert found.relative[0][0] < 0.5 < found.relative[0][1]


def test_a_difference_between_repetitions_widens_the_interval():
    rng = np.random.default_rng(8)
    steady = [rng.normal(10, 1, 500) for _ in range(3)]
    drifting = [one + shift for one, shift in zip(steady, (-1, 0, 1), strict=True)]
    widths = []
    for series in (steady, drifting):
        drawn = resample([series], 1.0, means, 0, RESAMPLES)
        low, high = percentile_interval(mean_of_picks(drawn[0], 0))
        widths.append(high - low)
    assert widths[1] > 4 * widths[0]


def test_sides_that_play_the_same_arrivals_profit():
    rng = np.random.default_rng(9)
    live = tuple(waits(rng, 600) for _ in range(3))
    alike = tuple(one + rng.normal(0, 0.1, one.size) for one in live)
    other = tuple(waits(rng, 600) for _ in range(3))
    narrow, wide = (
        intervals(Samples("embed", "e2el", live, side), 0, 200).errors[0] for side in (alike, other)
    )
    assert narrow[1] - narrow[0] < 0.2 * (wide[1] - wide[0])


def test_a_seed_gives_the_same_intervals_and_another_one_others():
    rng = np.random.default_rng(10)
    samples = Samples("embed", "e2el", (1 + waits(rng, 300),), (1 + waits(rng, 200), 1 + waits(rng, 250)))
    assert intervals(samples, 1, 100) == intervals(samples, 1, 100)
    assert intervals(samples, 1, 100) != intervals(samples, 2, 100)


def test_memory_is_bounded_by_drawing_in_parts(monkeypatch):
    series = [np.arange(50.0), np.arange(40.0)]
    whole = resample([series], 5.0, statistics_of, 3, 30)
    monkeypatch.setattr("validate.compare.bootstrap.CELLS", 120)
    parts = resample([series], 5.0, statistics_of, 3, 30)
    assert [one.shape for one in parts[0]] == [one.shape for one in whole[0]] == [(30, 5), (30, 5)]


def test_what_never_varies_has_an_interval_of_no_width():
    found = intervals(UNIT, 0, 50)
    assert found.errors == [pytest.approx((0, 0))] * 5
    assert found.kolmogorov_smirnov == found.wasserstein == (0, 0)
    assert found.block == 1.0
