"""The intervals of chance and calibration: their formula, and how they are written."""

from __future__ import annotations

from dataclasses import replace
from math import exp, hypot, nan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simsage.doubt import Doubted, doubted, doubted_ratio, scaled, together
from simsage.formats import interval, share_with_interval, with_interval
from simsage.statistics import NOTHING, Estimate, estimate


def test_the_formula() -> None:
    found = doubted(estimate([1.0, 2.0, 3.0]), [0.3, -0.4])
    assert isinstance(found, Doubted)
    half = stats.t.ppf(0.975, 2) * (0.5 * (0.3**2 + 0.4**2)) ** 0.5
    chance = stats.t.ppf(0.975, 2) * 1.0 / 3**0.5
    assert found.calibration == pytest.approx(half)
    assert found.half_width == pytest.approx(chance)
    assert found.combined == pytest.approx((2 - hypot(half, chance), 2 + hypot(half, chance)))
    assert (found.whole, found.members) == (found.combined, 2)


def test_nothing_is_made_of_nothing() -> None:
    assert doubted(NOTHING, [1.0]) == NOTHING
    assert doubted(estimate([1.0, 2.0]), []) == estimate([1.0, 2.0])
    assert doubted(estimate([1.0, 2.0]), [nan]) == estimate([1.0, 2.0])
    alone = doubted(estimate([5.0]), [1.0])
    assert isinstance(alone, Doubted)
    assert (alone.ci95, alone.combined) == (None, None)
    assert alone.calibration == pytest.approx(stats.t.ppf(0.975, 1))


def test_rounding_is_no_doubt() -> None:
    found = doubted(estimate([1e6, 1e6 + 1]), [1e-8])
    assert isinstance(found, Doubted)
    assert found.calibration == 0
    assert found.combined == found.ci95


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8),
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=10),
    st.randoms(use_true_random=False),
)
def test_doubt_only_widens_and_knows_no_order(
    values: list[float], differences: list[float], random: Random
) -> None:
    found = doubted(estimate(values), differences)
    random.shuffle(differences)
    again = doubted(estimate(values), differences)
    assert isinstance(found, Doubted)
    assert isinstance(again, Doubted)
    assert again.calibration == pytest.approx(found.calibration, rel=1e-9)
    assert found.combined is not None
    assert found.ci95 is not None
    slack = 1e-9 * max(map(abs, found.ci95))
    assert found.combined[0] <= found.ci95[0] + slack
    assert found.combined[1] >= found.ci95[1] - slack
    assert found.combined[1] - found.combined[0] >= 2 * found.calibration - slack


def test_a_ratio_is_doubted_on_its_logarithm() -> None:
    found = doubted_ratio(Estimate(2.0, (1.0, 4.0), 5), [exp(0.1), exp(-0.1)])
    assert isinstance(found, Doubted)
    half = stats.t.ppf(0.975, 2) * 0.1
    both = hypot(half, 0.6931471805599453)
    assert found.combined == pytest.approx((2 * exp(-both), 2 * exp(both)))


def test_what_a_table_writes() -> None:
    found = Doubted(123.456, (122.4, 124.6), 3, 5.6, (117.8, 129.1), 10)
    assert with_interval(found) == "123.5 ±1.1 ±5.6"
    assert with_interval(replace(found, calibration=0.0)) == "123.5 ±1.1"
    assert with_interval(replace(found, ci95=None, combined=None)) == "123.5 ±– ±5.6"
    assert interval(found) == "118 to 129"
    share = Doubted(0.971, (0.963, 0.979), 3, 0.003, (0.962, 0.98), 10)
    assert share_with_interval(share) == "97.1% ±0.8 ±0.3"


def test_in_another_unit_and_together() -> None:
    found = Doubted(2.0, (1.0, 3.0), 3, 0.5, (0.9, 3.1), 4)
    assert scaled(found, 10.0) == Doubted(20.0, (10.0, 30.0), 3, 5.0, (9.0, 31.0), 4)
    assert scaled(estimate([1.0]), 3.0) == estimate([3.0])
    assert scaled(NOTHING, 3.0) == NOTHING
    assert together(found) == Estimate(2.0, (0.9, 3.1), 3)
