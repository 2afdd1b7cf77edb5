"""The GPU's and the thread's time are found again from what an engine of known times would have logged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from calibration.errors import Underdetermined
from calibration.fits.enginetime import (
    NAMES,
    EngineTime,
    fit_engine_time,
    gpu_ratios,
    judged_stretches,
    launch_ratios,
    values,
)
from calibration.fits.served_steps import ServedSteps, served_steps
from calibration.probes.samples import StepPoint
from simcore.profile.hosttime import HostTime
from simcore.profile.steptime import StepTime
from simcore.step import Step

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
GPU = StepTime(0.001, 0.005, 2e-5, 4e-6, 1e-4, 5e-8, 8e-10, capture_sizes=SIZES)
HOST = HostTime(0.002, 0.011, 0.026, 4e-5, 0.003, 2e-4, largest_graph=512)


def prompt(tokens: int, decodes: int = 0, context: int = 0, requests: int = 1) -> Step:
    """A step with prompts that have nothing cached."""
    return Step(decodes, context, requests, tokens, tokens * tokens / (2 * requests))


def bare() -> list[StepPoint]:
    """Steps one by one, each taking what is known: launch and GPU, of which only the launch may overlap."""
    steps = [Step(n, n * context) for n in (1, 4, 16, 64, 128, 256) for context in (100, 1000, 4000)]
    steps += [
        prompt(tokens, requests=k) for tokens in (16, 64, 256, 512, 1000, 2000, 4000, 8000) for k in (1, 4)
    ]
    steps += [prompt(tokens, n, n * 500) for tokens in (64, 400, 2000) for n in (4, 64)]
    return [StepPoint(str(i), step, alone(step), (), held_out=False) for i, step in enumerate(steps)]


def alone(step: Step) -> float:
    """Seconds of a bare step, worked out here."""
    gpu, launch = GPU(step), HOST.launch(step)
    if not step.prefills and step.decodes <= 512:
        return launch + gpu + HOST.update
    first = min(launch, HOST.prepare + HOST.request * step.batch)
    return max(launch, first + gpu) + HOST.update


def served(steps: Sequence[Step]) -> ServedSteps:
    """The log of a server that always has work and two steps under way."""
    thread = free = 0.0
    scheduled, done, updated = [], [], []
    for number, step in enumerate(steps):
        if number >= 2:
            thread = max(thread, done[number - 2]) + HOST.update
            updated.append(thread)
        scheduled.append(thread)
        launched = thread + HOST.launch(step)
        whole = not step.prefills and step.decodes <= 512
        first = launched if whole else min(launched, thread + HOST.prepare + HOST.request * step.batch)
        free = max(free, first) + GPU(step)
        done.append(free if whole else max(free, launched))
        thread = launched
    for number in (len(steps) - 2, len(steps) - 1):
        thread = max(thread, done[number]) + HOST.update
        updated.append(thread)
    rows = [
        {"scheduled": s, "updated": u, "busy": True, "step": _fields(step)}
        for s, u, step in zip(scheduled, updated, steps, strict=True)
    ]
    return served_steps(rows)


def _fields(step: Step) -> dict[str, float]:
    names = ("decodes", "decode_context", "prefills", "prefill_tokens", "prefill_attention")
    return {name: getattr(step, name) for name in names}


def load(seed: int, count: int = 600) -> list[Step]:
    """Mostly decodes, now and then a prompt."""
    rng = np.random.default_rng(seed)
    steps = []
    for _ in range(count):
        decodes = int(rng.integers(1, 200))
        if rng.random() < 0.2:
            steps.append(prompt(int(rng.integers(16, 3000)), decodes, decodes * 600))
        else:
            steps.append(Step(decodes, decodes * int(rng.integers(100, 3000))))
    return steps


@pytest.fixture(scope="module")
def fit() -> EngineTime:
    """From exact measurements of both kinds."""
    return fit_engine_time(bare(), [served(load(1)), served(load(2))], SIZES)


def test_exact_measurements_give_the_known_coefficients(fit: EngineTime) -> None:
    found = dict(zip(NAMES, values(fit.step_time, fit.host_time), strict=True))
    for name, truth in zip(NAMES, values(GPU, HOST), strict=True):
        assert found[name] == pytest.approx(truth, rel=0.1, abs=5e-7 if truth < 1e-5 else 1e-4), name
    assert fit.absent == ()


def test_every_interval_holds_its_coefficient_and_members_are_whole_fits(fit: EngineTime) -> None:
    assert all(low <= high for low, high in fit.intervals.values())
    assert fit.draws.shape[1] == len(NAMES)
    assert np.isfinite(fit.draws).all()


def test_sums_of_steps_that_were_not_fitted_are_predicted(fit: EngineTime) -> None:
    errors = judged_stretches([served(load(3))], fit.step_time, fit.host_time)
    assert len(errors) == 29
    assert np.abs(errors).max() < 0.01


def test_the_known_times_explain_the_log_exactly() -> None:
    """Every stretch of 20 steps, to a billionth."""
    errors = judged_stretches([served(load(4))], GPU, HOST)
    assert np.abs(errors).max() < 1e-9
    log = [served(load(4))]
    periods, launches = gpu_ratios(log, GPU, HOST), launch_ratios(log, GPU, HOST)
    assert np.percentile(periods, [10, 50]) == pytest.approx([1.0, 1.0], abs=1e-6)
    assert launches == pytest.approx([1.0] * len(launches))


def test_a_coefficient_that_no_step_shows_is_said_to_be_absent() -> None:
    """Without any step of many tokens nothing is launched kernel by kernel."""
    small = [point for point in bare() if point.step.tokens <= 512]
    steps = [step for step in load(5, 900) if step.tokens <= 512]
    assert "eager" in fit_engine_time(small, [served(steps)], SIZES).absent


def test_measurements_that_cannot_tell_coefficients_apart_are_refused() -> None:
    """Decodes of one batch at one context."""
    point = StepPoint("a", Step(8, 8000), alone(Step(8, 8000)), (), held_out=False)
    with pytest.raises(Underdetermined, match="cannot tell apart"):
        fit_engine_time([point] * 20, [], SIZES)


def test_a_pause_or_something_beside_it_ends_a_stretch() -> None:
    log = served(load(6, 100))
    assert len(log.stretches(20)) == 4
    disturbed = ServedSteps(
        log.steps, log.scheduled, log.updated, log.busy, [(log.updated[40], log.updated[41])]
    )
    assert all(past <= 41 or first > 40 for first, past in disturbed.stretches(20))
    idle = log.busy.copy()
    idle[50] = False
    assert all(not first - 1 <= 50 < past for first, past in _with_busy(log, idle).stretches(20))


def _with_busy(log: ServedSteps, busy: np.ndarray) -> ServedSteps:  # type: ignore[type-arg]
    return ServedSteps(log.steps, log.scheduled, log.updated, busy)
