"""The fit recovers what made the points, says how sure it is, and refuses what is under-determined."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from calibration.errors import Underdetermined
from calibration.fits.embedtime import fit_embed_time
from calibration.fits.judge import judge_batches, judge_steps, residual_quantiles
from calibration.fits.linear import fit_linear
from calibration.fits.steptime import COEFFICIENTS, fit_step_time
from calibration.probes.samples import EmbedPoint, StepPoint
from simcore.profile.correction import NONE
from simcore.profile.embedtime import EmbedTime
from simcore.profile.steptime import StepTime
from simcore.step import Step

TRUE = StepTime(
    constant=5e-3, floor=3.2e-3, token=2e-4, decode=1.5e-4, prefill=1e-3, context=1e-6, attention=1e-7
)
TRUE_EMBED = EmbedTime(constant=8e-3, text=3e-4, tokenise=5e-6, padded=1e-4, attention=1e-7)


def steps() -> list[Step]:
    prefills = [Step(0, 0, k, k * n, k * n * n / 2) for k in (1, 4) for n in (8, 16, 64, 256, 500)]
    prefills += [Step(0, 0, 1, n, n * (1000 + n / 2)) for n in (64, 400)]
    decodes = [Step(b, b * c) for b in (1, 4, 12, 16, 32, 64) for c in (32, 300, 1800)]
    mixed = [Step(b, b * 200, 1, n, n * n / 2) for b in (2, 16, 40) for n in (16, 100, 300)]
    return prefills + decodes + mixed


def points(form: StepTime, noise: float, seed: int = 0, held_out: bool = False) -> list[StepPoint]:
    draw = np.random.default_rng(seed)
    seconds = [form(step) * float(np.exp(draw.normal(0.0, noise))) for step in steps()]
    return [
        StepPoint(f"scene-{i}", step, t, (t,), held_out)
        for i, (step, t) in enumerate(zip(steps(), seconds, strict=True))
    ]


def test_exact_points_give_the_coefficients_back() -> None:
    fitted = fit_step_time(points(TRUE, 0.0)).step_time
    for name in COEFFICIENTS:
        assert getattr(fitted, name) == pytest.approx(getattr(TRUE, name), rel=1e-6), name


def test_noisy_points_give_intervals_that_hold_the_truth() -> None:
    bounds = fit_step_time(points(TRUE, 0.03)).intervals
    inside = [bounds[name][0] <= getattr(TRUE, name) <= bounds[name][1] for name in bounds]
    assert len(inside) == 7
    assert sum(inside) >= 6


def test_a_sum_of_decodes_and_prefill_is_predicted_within_the_noise() -> None:
    fitted = fit_step_time(points(TRUE, 0.03)).step_time
    quality = judge_steps(fitted, points(TRUE, 0.0, held_out=True))
    assert set(quality) == {"prefill", "decode", "mixed"}
    assert all(q.median_abs_error < 0.02 and q.points == 0 for q in quality.values())


def test_padding_to_capture_sizes_is_part_of_the_fit() -> None:
    padded = replace(TRUE, floor=0.0, capture_sizes=(1, 8, 24, 64))
    fitted = fit_step_time(points(padded, 0.0), (1, 8, 24, 64)).step_time
    assert fitted.token == pytest.approx(TRUE.token, rel=1e-6)
    assert fitted(Step(9, 900)) == pytest.approx(padded(Step(24, 900)) - 15 * TRUE.decode, rel=1e-6)


def test_intervals_cover_about_as_often_as_they_say() -> None:
    x = np.column_stack([np.ones(40), np.linspace(1, 30, 40)])
    covered = 0
    for seed in range(60):
        seconds = (x @ [5.0, 0.5]) * np.exp(np.random.default_rng(seed).normal(0.0, 0.05, 40))
        low, high = fit_linear(("constant", "token"), x, seconds).intervals["token"]
        covered += low <= 0.5 <= high
    assert 50 <= covered <= 60


def test_a_design_with_one_batch_size_is_refused_by_name() -> None:
    only = [p for p in points(TRUE, 0.0) if p.kind == "decode"]
    with pytest.raises(Underdetermined, match="prefill, attention"):
        fit_step_time(only)


def test_features_that_move_together_are_refused() -> None:
    x = np.column_stack([np.ones(20), np.arange(1.0, 21.0), 2 * np.arange(1.0, 21.0)])
    with pytest.raises(Underdetermined, match="tell apart a, b"):
        fit_linear(("constant", "a", "b"), x, x @ [1.0, 1.0, 1.0])


def test_too_few_points_are_refused() -> None:
    x = np.column_stack([np.ones(3), np.arange(1.0, 4.0)])
    with pytest.raises(Underdetermined, match="3 points cannot determine 2"):
        fit_linear(("constant", "a"), x, x @ [1.0, 1.0])


def embed_batches(noise: float) -> list[EmbedPoint]:
    draw = np.random.default_rng(1)
    texts = [(n,) * b for b in (1, 4, 16, 32) for n in (8, 32, 100, 250)] + [(8, 8, 100), (20, 200)]
    made = []
    for batch in texts:
        factor = float(np.exp(draw.normal(0.0, noise)))
        tokenise = (1e-4 + 1e-5 * len(batch) + TRUE_EMBED.tokenise * sum(batch)) * factor
        made.append(EmbedPoint(batch, TRUE_EMBED(batch) * factor, tokenise, (1.0,), len(batch) == 2))
    return made


def test_embedding_batches_give_the_coefficients_back() -> None:
    fitted = fit_embed_time(embed_batches(0.0)).embed_time
    for name, value in asdict(TRUE_EMBED).items():
        assert getattr(fitted, name) == pytest.approx(value, rel=1e-6), name


def test_noisy_embedding_batches_are_predicted_unseen() -> None:
    made = embed_batches(0.03)
    fitted = fit_embed_time([p for p in made if not p.held_out])
    quality = judge_batches(fitted.embed_time, made)["batch"]
    assert (quality.points, quality.held_out) == (len(made) - 1, 1)
    assert quality.median_abs_error < 0.1
    low, high = fitted.intervals["padded"]
    assert low <= TRUE_EMBED.padded <= high


def test_residual_quantiles_are_those_of_measured_over_fitted() -> None:
    samples = np.random.default_rng(0).normal(1.0, 0.07, 4000)
    quantiles = residual_quantiles([(2.0, (2.0 * samples).tolist())])
    assert quantiles[0] == samples.min()
    assert quantiles[20] == pytest.approx(np.median(samples))
    assert quantiles[-1] == samples.max()


def bent(step: Step) -> float:
    """A machine whose small prefills cost more than the form can say."""
    return TRUE(step) * (1.3 if step.prefills and not step.decodes and step.tokens < 40 else 1.0)


def test_what_the_form_misses_is_mended_by_a_table_that_predicts_left_out_points() -> None:
    made = [replace(p, seconds=bent(p.step)) for p in points(TRUE, 0.0)]
    fitted = fit_step_time(made).step_time
    assert fitted.prefill_correction.at
    small, form = Step(0, 0, 1, 16, 128.0), replace(fitted, prefill_correction=NONE)
    assert abs(fitted(small) / bent(small) - 1) < 0.5 * abs(form(small) / bent(small) - 1)


def test_noise_alone_earns_no_table() -> None:
    kept = [bool(fit_step_time(points(TRUE, 0.03, seed)).step_time.decode_correction.at) for seed in range(4)]
    assert sum(kept) <= 1
