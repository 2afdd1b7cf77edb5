"""Draws have the mean and the range of their distribution."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter

from simcore.scenario.workload import Distribution
from simcore.workload.distributions import draw_counts, draw_floats, mean

N = 200_000
SPECS: list[tuple[dict[str, object], float]] = [
    ({"distribution": "constant", "value": 3.5}, 0.0),
    ({"distribution": "uniform", "low": 2, "high": 6}, (16 / 12) ** 0.5),
    ({"distribution": "exponential", "mean": 40}, 40.0),
    ({"distribution": "lognormal", "median": 100, "sigma": 0.5}, 60.4),
    ({"distribution": "gamma", "mean": 50, "cv": 0.4}, 20.0),
    ({"distribution": "empirical", "values": [1, 2, 10], "weights": [2, 1, 1]}, 3.775),
]


def spec_of(said: dict[str, object]) -> Distribution:
    spec: Distribution = TypeAdapter(Distribution).validate_python(said)
    return spec


@pytest.mark.parametrize(("said", "deviation"), SPECS)
def test_mean_and_standard_deviation(said: dict[str, object], deviation: float) -> None:
    spec = spec_of(said)
    values = draw_floats(spec, N, np.random.default_rng(3))
    assert values.mean() == pytest.approx(mean(spec), abs=5 * deviation / N**0.5)
    assert values.std() == pytest.approx(deviation, rel=0.02)


def test_the_mean_of_a_cut_lognormal_counts_what_is_cut() -> None:
    spec = spec_of({"distribution": "lognormal", "median": 100, "sigma": 1.0, "high": 150})
    values = draw_floats(spec, N, np.random.default_rng(3))
    assert values.max() == 150
    assert mean(spec) == pytest.approx(values.mean(), rel=0.005)
    assert mean(spec_of({"distribution": "lognormal", "median": 9, "sigma": 0, "high": 5})) == 5


def test_uniform_counts_take_both_ends_as_often_as_the_rest() -> None:
    counts = draw_counts(
        spec_of({"distribution": "uniform", "low": 1, "high": 4}), N, np.random.default_rng(3)
    )
    seen, times = np.unique(counts, return_counts=True)
    assert seen.tolist() == [1, 2, 3, 4]
    assert times / N == pytest.approx(0.25, rel=0.03)


def test_counts_are_whole_and_not_below_the_least() -> None:
    exponential = spec_of({"distribution": "exponential", "mean": 1})
    assert draw_counts(exponential, 1000, np.random.default_rng(3)).min() == 1
    assert draw_counts(exponential, 1000, np.random.default_rng(3), least=0).min() == 0


def test_a_wild_lognormal_stays_a_number() -> None:
    wild = spec_of({"distribution": "lognormal", "median": 1e9, "sigma": 20})
    counts = draw_counts(wild, 1000, np.random.default_rng(3))
    assert (counts.min(), counts.max()) == (1, 1_000_000_000)
