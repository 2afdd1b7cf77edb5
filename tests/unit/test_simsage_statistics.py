"""Estimates: known values, and intervals that cover as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from simsage.formats import percent, plain, with_interval
from simsage.statistics import (
    NOTHING,
    Estimate,
    estimate,
    jain,
    paired_difference,
    paired_ratio,
    percentiles_with_lost,
    unpaired_difference,
    unpaired_ratio,
)


def test_the_t_interval_of_a_textbook_sample():
    found = estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.value == 3.0
    assert found.half_width == pytest.approx(2.776445 * np.sqrt(2.5 / 5), rel=1e-6)


def test_one_replication_has_no_interval_and_none_no_value():
    assert estimate([4.0]) == Estimate(4.0, None, 1)
    assert estimate([float("nan")]) == Estimate(None, None, 0)
    assert estimate([float("nan"), 4.0]).replications == 1


def test_intervals_cover_at_their_nominal_rate():
    rng = np.random.default_rng(1)
    trials = 4000
    covered = sum(_covers(estimate(list(sample)), 10.0) for sample in rng.normal(10, 3, (trials, 5)))
    # Four standard errors of a share of 95% over that many trials.
    assert covered / trials == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / trials))


def test_paired_ratios_cover_and_profit_from_common_random_numbers():
    rng = np.random.default_rng(2)
    common = rng.normal(0, 1, (2000, 5))
    ratios = [
        paired_ratio(list(np.exp(row + 0.1 + rng.normal(0, 0.05, 5))), list(np.exp(row))) for row in common
    ]
    covered = sum(_covers(ratio, float(np.exp(0.1))) for ratio in ratios) / len(ratios)
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 2000))
    assert np.mean([ratio.ci95[1] - ratio.ci95[0] for ratio in ratios]) < 0.2


def test_a_ratio_needs_positive_pairs():
    assert paired_ratio([1.0, 2.0], [2.0, 4.0]).value == pytest.approx(0.5)
    for values, baseline in [
        ([1.0, 2.0], [1.0, 0.0]),
        ([1.0], [1.0, 2.0]),
        ([float("nan"), 1.0], [1.0, 1.0]),
    ]:
        assert paired_ratio(values, baseline).value is None


def test_a_paired_difference_is_the_mean_of_the_differences():
    found = paired_difference([3.0, 5.0, 7.0], [1.0, 4.0, 4.0])
    assert found.value == 2.0
    assert found.half_width == pytest.approx(4.302653 * 1.0 / np.sqrt(3), rel=1e-6)
    assert paired_difference([0.3, 0.1 + 0.2], [0.1 + 0.2, 0.3]) == Estimate(0.0, (0.0, 0.0), 2)
    assert paired_difference([1.0, 2.0], [1.0]) == NOTHING
    assert paired_difference([1.0, float("nan")], [1.0, 2.0]) == NOTHING


def test_an_unpaired_difference_has_welchs_interval():
    one, other = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9], [27.1, 22.0, 20.8, 23.4]
    found = unpaired_difference(one, other)
    known = ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert found.ci95 == pytest.approx((known.low, known.high))
    assert found.replications == 4
    logs = ttest_ind(np.log(one), np.log(other), equal_var=False).confidence_interval(0.95)
    assert unpaired_ratio(one, other).ci95 == pytest.approx((np.exp(logs.low), np.exp(logs.high)))


def test_an_unpaired_difference_of_too_little():
    assert unpaired_difference([3.0], [1.0, 2.0]) == Estimate(1.5, None, 1)
    assert unpaired_difference([2.0, 2.0], [1.0, 1.0]) == Estimate(1.0, (1.0, 1.0), 2)
    assert unpaired_difference([0.3, 0.3], [0.1 + 0.2, 0.1 + 0.2]) == Estimate(0.0, (0.0, 0.0), 2)
    assert unpaired_difference([], [1.0]) == NOTHING
    assert unpaired_ratio([1.0, 0.0], [1.0, 2.0]) == NOTHING


def test_unpaired_differences_cover_where_spreads_and_numbers_differ():
    rng = np.random.default_rng(3)
    trials = zip(rng.normal(12, 4, (4000, 5)), rng.normal(10, 1, (4000, 12)), strict=True)
    covered = sum(_covers(unpaired_difference(list(a), list(b)), 2.0) for a, b in trials) / 4000
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 4000))


@given(st.lists(st.tuples(st.floats(1e-3, 1e6), st.integers(-4, 4)), min_size=2, max_size=8))
def test_pairs_that_differ_by_rounding_alone_have_no_effect(pairs: list[tuple[float, int]]):
    """A few units in the last place on either side: the ratio is 1, and nothing is shown."""
    baseline = [value for value, _ in pairs]
    moved = [value * (1 + places * np.finfo(float).eps) for value, places in pairs]
    assert paired_ratio(moved, baseline) == Estimate(1.0, (1.0, 1.0), len(pairs))


@given(st.lists(st.floats(0, 1e3), max_size=50), st.integers(0, 50))
def test_a_percentile_with_the_lost_is_that_of_all_where_none_of_them_has_a_part_in_it(
    known: list[float], lost: int
):
    """Two answers for the lost, both later than all: what lies among the known is the same for either."""
    found = percentiles_with_lost(np.array(known), lost)
    for name, point in (("median", 50), ("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99)):
        if not known and not lost:
            assert np.isnan(found[name])
            continue
        soon, late = (float(np.percentile([*known, *[end] * lost], point)) for end in (2e3, 1e6))
        assert found[name] == (pytest.approx(soon) if soon == pytest.approx(late) else np.inf)


def test_jain_is_one_for_equal_and_one_nth_for_one_who_gets_all():
    assert jain([3.0, 3.0, 3.0]) == pytest.approx(1)
    assert jain([1.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345.6, "12,346"), (123.4, "123"), (1.234, "1.23"), (0.01234, "0.0123"), (None, "–")],
)
def test_numbers_have_three_digits(value, text):
    assert plain(value) == text


def test_intervals_and_shares_do_not_round_to_what_is_not_so():
    assert with_interval(Estimate(123.4, (117.8, 129.0), 5)) == "123.4 ±5.6"
    assert with_interval(Estimate(123.4, None, 1)) == "123"
    assert (percent(0.99996), percent(1.0), percent(0.0001)) == (">99.9%", "100%", "<0.1%")


def _covers(found: Estimate, truth: float) -> bool:
    assert found.ci95 is not None
    return found.ci95[0] <= truth <= found.ci95[1]
