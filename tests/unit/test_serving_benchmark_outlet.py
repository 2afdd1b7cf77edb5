"""The queue behind an engine: Lindley's recursion against queueing theory, and what it does to TTFT."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from calibration.derive.serving_benchmark import GAP
from calibration.derive.serving_benchmark_form import queues_behind
from calibration.derive.serving_benchmark_outlet import EngineSteps, Outlet, departures, engine_steps
from simcore.profile.steptime import StepTime
from simcore.request import Kind, Request
from tests.unit.test_serving_benchmark import run

FORM = StepTime(constant=0.01)


def test_results_wait_as_in_a_queue_of_regular_arrivals_and_exponential_service() -> None:
    """D/M/1: the mean sojourn is m / (1 - s), where s = exp(-(1 - s) d / m)."""
    step, mean, count = 0.02, 0.015, 200_000
    ends = step * np.arange(1, count + 1)
    steps = EngineSteps(ends, np.ones(count), [slice(0, count)])
    late = departures(steps, np.random.default_rng(0).exponential(mean, count)) - ends
    s = brentq(lambda x: np.exp(-(1 - x) * step / mean) - x, 0.0, 0.99)
    assert late.mean() == pytest.approx(mean / (1 - s), rel=0.03)


def test_what_waits_is_out_when_the_engine_is_idle() -> None:
    ends = np.array([1.0, 1.1, 1.2, 5.0, 5.1])
    steps = EngineSteps(ends, np.ones(5), [slice(0, 3), slice(3, 5)])
    assert departures(steps, np.full(5, 0.15)).tolist() == pytest.approx([1.15, 1.2, 1.2, 5.1, 5.1])


def test_steps_are_as_long_as_the_form_says_and_busy_until_the_last_token() -> None:
    steps = engine_steps([answered(0.0, 0.1, 0.2, 11), answered(1.0, 1.1, 1.15, 6)], FORM)
    assert steps.ends == pytest.approx([*np.linspace(0.1, 0.2, 11), *np.linspace(1.1, 1.15, 6)])
    assert steps.busy == [slice(0, 11), slice(11, 17)]


def test_ttft_falls_as_steps_grow_longer_than_the_outlets_time() -> None:
    means = []
    for pace in (0.008, 0.03):
        requests = [answered(i, i + 0.02, i + 0.02 + 200 * pace, 201) for i in np.arange(0.0, 40.0)]
        steps = engine_steps(requests, StepTime(constant=pace))
        figures = Outlet(0.015, seed=0, draws=4).figures(requests, steps)
        means.append(figures["TTFT", "mean"])
        assert figures[GAP] > 0
    assert means[0] > 10 * means[1]


def test_a_queue_that_is_longer_without_load_is_behind_the_engine() -> None:
    assert queues_behind(run(1.0, ttft=1.0), run(8.0, ttft=0.1))
    assert not queues_behind(run(1.0, ttft=0.09), run(8.0, ttft=0.1))


def answered(arrival: float, first: float, last: float, tokens: int) -> Request:
    request = Request(0, "load", Kind.LLM_GENERATE, float(arrival), 64, tokens)
    request.first_token, request.finished = float(first), float(last)
    return request
