"""Runs of decode steps at once, beside the same steps one by one."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest

from simcore.llm.durations import LinearRun, SampledRun, StepDurations, StepRun
from simcore.profile.steptime import StepTime
from simcore.step import Step

FORM = StepTime(constant=0.004, decode=0.001, context=1e-5)
RESIDUALS = [0.8, 0.9, 1.0, 1.1, 1.4]


def durations(residuals: list[float]) -> StepDurations:
    return StepDurations(FORM, residuals, np.random.default_rng(7))


def one_by_one(made: StepDurations, decodes: int, context: int, number: int, steps: int) -> list[float]:
    """When each of the steps ends, every one of them taken alone."""
    return list(
        accumulate(
            made.single(Step(decodes=decodes, decode_context=context + i * decodes), number + i)
            for i in range(steps)
        )
    )


def check(run: StepRun, ends: list[float]) -> None:
    """The step under way at any moment, and just at its end, which still belongs to it."""
    assert run.steps == len(ends)
    assert run.total == pytest.approx(ends[-1], rel=1e-12)
    starts = [0.0, *ends[:-1]]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1):
        for share in (0.001, 0.5, 0.999):
            step, until = run.end_of_step_at(start + share * (end - start))
            assert (step, until) == (number, pytest.approx(end, rel=1e-12))


@pytest.mark.parametrize("steps", [1, 2, 3, 50])
@pytest.mark.parametrize("residuals", [[], RESIDUALS], ids=["fitted", "sampled"])
def test_a_run_ends_its_steps_when_each_alone_would(residuals: list[float], steps: int) -> None:
    ends = one_by_one(durations(residuals), 3, 100, 5, steps)
    check(durations(residuals).run(3, 100, 5, steps), ends)


def test_a_slower_machine_takes_as_many_times_longer_in_a_run() -> None:
    made = durations([])
    usual = made.run(2, 40, 0, 10).total
    made.slowdown = 3.0
    assert made.run(2, 40, 0, 10).total == pytest.approx(3.0 * usual)


def test_steps_of_equal_length_have_no_root_to_take() -> None:
    check(LinearRun(0.5, 0.0, 4), [0.5, 1.0, 1.5, 2.0])


def test_an_end_belongs_to_the_step_that_it_ends() -> None:
    assert LinearRun(1.0, 1.0, 3).end_of_step_at(3.0) == (2, 3.0)
    assert SampledRun(np.array([1.0, 3.0, 6.0])).end_of_step_at(3.0) == (2, 3.0)


def test_past_the_last_end_it_is_still_the_last_step() -> None:
    assert LinearRun(1.0, 1.0, 3).end_of_step_at(6.0 + 1e-9) == (3, 6.0)
    assert SampledRun(np.array([1.0, 3.0, 6.0])).end_of_step_at(6.0 + 1e-9) == (3, 6.0)


def test_a_step_has_its_residual_whoever_asks_and_beyond_the_first_draws_too() -> None:
    step = Step(decodes=1, decode_context=10)
    drawn, again = durations(RESIDUALS), durations(RESIDUALS)
    every = [drawn.single(step, number) for number in range(9000)]
    some = [again.single(step, number) for number in (0, 4095, 4096, 8191, 8192, 8999)]
    assert some == [every[number] for number in (0, 4095, 4096, 8191, 8192, 8999)]
    assert len(set(every)) > 8000


def test_a_run_ends_where_the_draws_do() -> None:
    assert durations(RESIDUALS).run(1, 10, 4090, 100).steps == 6
