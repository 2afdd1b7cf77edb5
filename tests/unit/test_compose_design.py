"""The designed steps stay within an engine's limits, and a known step time is found again from them."""

from __future__ import annotations

import pytest

from calibration.compose.composition import Composition
from calibration.compose.design import Limits, between, composed_points, design, rungs
from calibration.compose.profile import Served, composed_llm
from calibration.errors import Underdetermined
from simcore.profile.llm import EngineFacts
from simcore.profile.steptime import StepTime

LIMITS = Limits(max_num_seqs=48, max_num_batched_tokens=3000, max_model_len=2048, kv_tokens=40_000)
TRUE = StepTime(
    constant=2e-3, floor=5e-3, token=5e-3 / 128, decode=1e-5, prefill=1e-4, context=1e-7, attention=2e-9
)


def served(sizes: list[int]) -> Served:
    engine = EngineFacts(
        num_gpu_blocks=2500,
        max_num_batched_tokens=3000,
        max_num_seqs=48,
        max_model_len=2048,
        cudagraph_capture_sizes=sizes,
    )
    return Served("known", 1, 2, engine)


def test_rungs_rise_to_the_end_and_held_out_steps_lie_between() -> None:
    assert rungs(16, 100, 2) == [16, 32, 64, 100]
    assert rungs(16, 16, 2) == [16]
    assert between([1, 2, 8, 9]) == [4]


@pytest.mark.parametrize("limits", [LIMITS, Limits(1, 512, 128, 200), Limits(256, 8192, 32768, 500_000)])
def test_every_step_is_one_that_the_engine_could_take(limits: Limits) -> None:
    for step in design(limits):
        chunks, decodes = step.composition.chunks, step.composition.decodes
        assert 1 <= len(decodes) + len(chunks) <= limits.max_num_seqs
        assert len(decodes) + sum(tokens for _, tokens in chunks) <= limits.max_num_batched_tokens
        assert all(tokens >= 1 for _, tokens in chunks)
        assert max([*decodes, *(sum(chunk) for chunk in chunks)]) <= limits.max_model_len
        assert sum(decodes) + sum(map(sum, chunks)) <= limits.kv_tokens


def test_the_limits_are_reached_and_all_kinds_are_there() -> None:
    points = composed_points(lambda composition: TRUE(composition.step), design(LIMITS))
    fitted = [point for point in points if not point.held_out]
    assert max(point.step.decodes for point in fitted) == 48
    assert max(point.step.prefill_tokens for point in fitted) == 3000
    assert max(point.step.decode_context for point in points) <= 40_000
    for held_out in (False, True):
        assert {p.kind for p in points if p.held_out is held_out} == {"prefill", "decode", "mixed"}


def test_nothing_is_both_fitted_and_held_out() -> None:
    steps = design(LIMITS)
    fitted = {step.composition for step in steps if not step.held_out}
    assert not fitted & {step.composition for step in steps if step.held_out}


def test_a_step_time_of_the_form_is_found_again() -> None:
    points = composed_points(lambda composition: TRUE(composition.step), design(LIMITS))
    profile = composed_llm(points, served([]))
    found = profile.step_time
    assert found.floor == pytest.approx(TRUE.floor, rel=1e-6)
    assert found.context == pytest.approx(TRUE.context, rel=1e-6)
    assert found.attention == pytest.approx(TRUE.attention, rel=1e-6)
    assert {kind: quality.p90_abs_error < 1e-6 for kind, quality in profile.fit.items()} == dict.fromkeys(
        ("prefill", "decode", "mixed"), True
    )
    assert profile.residuals == []
    assert profile.tensor_parallel_size == 2
    assert profile.batch_range == (1.0, 48.0)
    assert profile.context_range == (64.0, 2048.0)
    assert profile.chunk_range == (16.0, 3000.0)


def test_held_out_points_do_not_enter_the_fit() -> None:
    def spoilt(composition: Composition) -> float:
        return TRUE(composition.step)

    points = composed_points(spoilt, design(LIMITS))
    doubled = [type(p)(p.scene, p.step, 2 * p.seconds, p.samples, True) if p.held_out else p for p in points]
    profile = composed_llm(doubled, served([]))
    assert profile.step_time.floor == pytest.approx(TRUE.floor, rel=1e-6)
    assert profile.fit["decode"].median_abs_error == pytest.approx(0.5)


def test_too_few_steps_are_refused() -> None:
    points = composed_points(lambda c: TRUE(c.step), design(LIMITS))
    with pytest.raises(Underdetermined):
        composed_llm([p for p in points if p.kind == "decode"], served([]))
