"""What holds of distances, floors and verdicts whatever the latencies are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.unit.compare_support import case, document, embeddings
from validate.compare.block_length import block_length
from validate.compare.bootstrap import resample
from validate.compare.distance import kolmogorov_smirnov, statistics_of, wasserstein
from validate.compare.floor import floor_of
from validate.compare.judge import judge
from validate.compare.ratios import agree
from validate.compare.verdict import Ratio, Verdict

LATENCIES = st.floats(1e-4, 1e3)
SERIES = st.integers(1, 60).flatmap(lambda n: arrays(float, n, elements=LATENCIES))
RATIOS = (
    st.tuples(*[st.floats(0.01, 100)] * 3).map(sorted).map(lambda x: Ratio(value=x[1], ci95=(x[0], x[2])))
)


@given(SERIES, SERIES)
def test_distances_are_symmetric_and_bounded(one, other):
    assert kolmogorov_smirnov(one, other) == kolmogorov_smirnov(other, one)
    assert 0 <= kolmogorov_smirnov(one, other) <= 1
    assert wasserstein(one, other) == pytest.approx(wasserstein(other, one))
    assert wasserstein(one, other) >= abs(one.mean() - other.mean()) - 1e-9
    assert kolmogorov_smirnov(one, one) == wasserstein(one, one) == 0


@given(SERIES, st.floats(0, 100))
def test_a_shift_is_the_wasserstein_distance(series, shift):
    assert wasserstein(series, series + shift) == pytest.approx(shift, abs=1e-9)


@given(SERIES)
def test_statistics_lie_within_the_values_in_order(series):
    mean, *points = statistics_of(series)
    assert series.min() - 1e-9 <= mean <= series.max() + 1e-9
    assert points == sorted(points)


@given(SERIES)
def test_a_block_length_is_at_least_one_and_shorter_than_the_series(series):
    assert 1 <= block_length(series) <= max(1, np.ceil(series.size / 3))


@given(SERIES, SERIES, st.floats(1, 30), st.integers(0, 2**62))
def test_resamples_are_made_of_the_values_in_their_order(one, other, block, seed):
    """Within a block each value is followed by its successor, on a ring."""
    places = [np.arange(float(series.size)) for series in (one, other)]
    for drawn, series in zip(resample([places], block, lambda rows: rows, seed, 20)[0], places, strict=True):
        assert set(drawn.ravel()) <= set(series)
        if block > 20 and series.size > 40:
            follows = (drawn[:, 1:] - drawn[:, :-1]) % series.size == 1
            assert follows.mean() > 0.7


@given(st.lists(SERIES, min_size=2, max_size=4))
def test_no_two_repetitions_are_further_apart_than_the_floor(repetitions):
    floor = floor_of(repetitions)
    assert floor is not None
    for one in repetitions:
        for other in repetitions:
            assert np.all(np.abs(statistics_of(one) - statistics_of(other)) <= floor.values + 1e-9)
            assert kolmogorov_smirnov(one, other) <= floor.kolmogorov_smirnov


@given(RATIOS, RATIOS)
def test_agreement_is_mutual_and_with_oneself(one, other):
    assert agree(one, other) is agree(other, one)
    assert agree(one, one) is True


@settings(max_examples=25)
@given(
    st.lists(arrays(float, 12, elements=LATENCIES), min_size=1, max_size=3),
    st.lists(arrays(float, 9, elements=LATENCIES), min_size=1, max_size=3),
)
def test_any_measurement_gives_a_verdict_that_survives_json(live, simulated):
    cases = [case([embeddings(one) for one in live], [embeddings(one) for one in simulated])]
    found = judge(document(), cases, resamples=20)
    assert Verdict.model_validate_json(found.model_dump_json()) == found
    assert not found.passed, "no p99 can be judged by a dozen requests"
    assert found.reasons
