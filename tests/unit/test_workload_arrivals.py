"""Arrival processes have the rate and the dispersion that they are named for."""

from __future__ import annotations

from math import gamma

import numpy as np
import pytest
from pydantic import TypeAdapter

from simcore.scenario.expected import expected_arrivals
from simcore.scenario.workload import Arrivals
from simcore.workload.arrivals import Times, arrival_times
from simcore.workload.randomness import Streams

DURATION = 2000.0
RATE = 20.0


def times_of(duration: float = DURATION, seed: int = 1, **arrivals: object) -> Times:
    spec = TypeAdapter(Arrivals).validate_python(arrivals)
    return arrival_times(spec, duration, Streams(seed, 0).generator("s", "arrivals"))


def cv(times: Times) -> float:
    gaps = np.diff(times)
    return float(gaps.std() / gaps.mean())


def dispersion(times: Times, window: float = 1.0) -> float:
    """Variance over mean of the counts in windows: 1 for a Poisson process."""
    counts = np.histogram(times, bins=np.arange(0.0, DURATION + window, window))[0]
    return float(counts.var() / counts.mean())


@pytest.mark.parametrize(
    ("arrivals", "expected_cv"),
    [
        ({"process": "poisson"}, 1.0),
        ({"process": "gamma", "cv": 2.0}, 2.0),
        ({"process": "gamma", "cv": 0.5}, 0.5),
        ({"process": "weibull", "shape": 0.7}, (gamma(1 + 2 / 0.7) / gamma(1 + 1 / 0.7) ** 2 - 1) ** 0.5),
        ({"process": "weibull", "shape": 2.0}, (gamma(2) / gamma(1.5) ** 2 - 1) ** 0.5),
    ],
)
def test_renewal_processes_have_their_rate_and_coefficient_of_variation(
    arrivals: dict[str, object], expected_cv: float
) -> None:
    times = times_of(rate=RATE, **arrivals)
    standard_error = max(1.0, expected_cv) / (RATE * DURATION) ** 0.5
    assert len(times) / DURATION == pytest.approx(RATE, rel=4 * standard_error)
    assert cv(times) == pytest.approx(expected_cv, rel=0.05)


def test_poisson_counts_are_as_variable_as_they_are_many() -> None:
    assert dispersion(times_of(process="poisson", rate=RATE)) == pytest.approx(1.0, abs=0.13)
    assert dispersion(times_of(process="gamma", rate=RATE, cv=3.0)) > 3


def test_constant_arrivals_start_at_zero_and_are_evenly_spaced() -> None:
    assert times_of(process="constant", rate=4.0, duration=1.0).tolist() == [0.0, 0.25, 0.5, 0.75]
    assert len(times_of(process="constant", rate=4.0, duration=1.1)) == 5


def test_bursts_stand_at_the_end_of_their_period_with_both_rates() -> None:
    spec = {"process": "bursts", "rate": 10, "burst_rate": 200, "burst_s": 5, "period_s": 30}
    times = times_of(**spec)
    in_burst = times % 30 >= 25
    periods = DURATION // 30
    assert in_burst.sum() == pytest.approx(200 * 5 * periods, rel=0.02)
    assert (~in_burst).sum() == pytest.approx(10 * (DURATION - 5 * periods), rel=0.03)
    calm = times[~in_burst]
    assert dispersion(calm[calm % 30 < 25], 25.0) < dispersion(times)


def test_bursts_with_silence_between_and_a_period_longer_than_the_run() -> None:
    silent = {"process": "bursts", "rate": 0, "burst_rate": 50, "burst_s": 1, "period_s": 10}
    assert (times_of(**silent) % 10 >= 9).all()
    late = {"process": "bursts", "rate": 1, "burst_rate": 1e9, "burst_s": 1e6, "period_s": 1e7}
    assert 0 < len(times_of(duration=20.0, **late)) < 60


def test_a_ramp_has_its_integrated_rate_in_each_half() -> None:
    for start, end in ((0, 40), (40, 0), (10, 30), (20, 20)):
        times = times_of(process="ramp", from_rate=start, to_rate=end)
        middle = (start + end) / 2
        first, second = (times < DURATION / 2).sum(), (times >= DURATION / 2).sum()
        assert first == pytest.approx((start + middle) / 2 * DURATION / 2, rel=0.04)
        assert second == pytest.approx((middle + end) / 2 * DURATION / 2, rel=0.04)


def test_another_rate_stretches_the_same_draws() -> None:
    slow, fast = times_of(process="poisson", rate=2.0), times_of(process="poisson", rate=20.0)
    assert fast[: len(slow)] == pytest.approx(slow / 10)
    assert len(fast) == pytest.approx(expected_arrivals_of(20.0), rel=0.03)


def expected_arrivals_of(rate: float) -> float:
    spec = TypeAdapter(Arrivals).validate_python({"process": "poisson", "rate": rate})
    return expected_arrivals(spec, DURATION)
