"""Distances of known distributions, block lengths of known processes, and the floor."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from tests.unit.compare_support import autoregressive
from validate.compare.block_length import block_length
from validate.compare.distance import kolmogorov_smirnov, mean_statistics, wasserstein
from validate.compare.floor import floor_of, share_floor

LEVELS = (np.arange(20_000) + 0.5) / 20_000


def test_two_uniforms_a_fifth_apart():
    assert kolmogorov_smirnov(LEVELS, LEVELS + 0.2) == pytest.approx(0.2, abs=1e-4)
    assert wasserstein(LEVELS, LEVELS + 0.2) == pytest.approx(0.2)


def test_two_exponentials_of_which_one_is_thirty_percent_slower():
    fast = -np.log(1 - LEVELS)
    furthest = log(1.3) * 1.3 / 0.3
    expected = exp(-furthest / 1.3) - exp(-furthest)
    assert kolmogorov_smirnov(fast, 1.3 * fast) == pytest.approx(expected, abs=1e-3)
    assert wasserstein(fast, 1.3 * fast) == pytest.approx(0.3, rel=1e-3)


def test_statistics_are_means_over_repetitions_not_of_the_pool():
    found = mean_statistics([np.arange(101.0), np.arange(101.0) + 1000])
    assert list(found) == pytest.approx([550, 550, 590, 595, 599])


@pytest.mark.parametrize("phi", [0.3, 0.6, 0.9])
def test_the_block_length_is_the_best_one_of_an_autoregression(phi):
    """Politis and White's formula with the true autocovariances: b^3 = N (2 phi / (1 - phi^2))^2."""
    rng = np.random.default_rng(1)
    n = 3000
    best = np.cbrt(n * (2 * phi / (1 - phi**2)) ** 2)
    found = np.median([block_length(autoregressive(rng, n, phi)) for _ in range(40)])
    assert found == pytest.approx(best, rel=0.25)


def test_the_block_length_of_a_series_worked_out_by_hand():
    """Ones and zeros in turn, 16 long: R(k) = (-1)^k (16 - k) / 64, none of them small, so M is all 9 lags.

    Then G = 2 sum of w k R = -1/48 and g = 1/4 + 2 sum of w R = 1/48, and b^3 = 16 (G / g)^2 = 16.
    """
    assert block_length(np.tile([1.0, 0.0], 8)) == pytest.approx(16 ** (1 / 3))


@pytest.mark.parametrize("series", [np.full(500, 0.02), np.arange(5.0), np.array([])])
def test_a_series_that_says_nothing_has_blocks_of_one(series):
    assert block_length(series) == 1.0


def test_a_trend_gives_no_longer_block_than_a_third_of_the_series():
    assert block_length(np.arange(60.0)) <= 20


def test_the_floor_is_the_largest_difference_between_repetitions():
    base = np.arange(101.0)
    found = floor_of([base, base + 3, base + 10])
    assert found is not None
    assert list(found.values) == pytest.approx([10] * 5)
    assert found.wasserstein == pytest.approx(10)
    assert found.kolmogorov_smirnov == pytest.approx(10 / 101)


def test_one_repetition_has_no_floor():
    assert floor_of([np.arange(9.0)]) is None
    assert share_floor(np.array([0.9])) == share_floor(np.array([])) == 0
