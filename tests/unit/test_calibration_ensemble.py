"""Draws from the fits that points allow: as far apart as the truth is from the best fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, cast

import numpy as np
import pytest
from scipy import stats

from calibration.campaign import Campaign
from calibration.compose.shape import model_shape
from calibration.embedding_part import embedding_own
from calibration.fits.embedtime import embed_draws, fit_embed_time
from calibration.fits.ensemble import SIZE, alternatives, ensemble
from calibration.fits.linear import Array, solve
from calibration.fits.replay import Parameter, fit_replay
from calibration.fits.step_draws import step_draws
from calibration.fits.steptime import best_form, fit_step_time
from calibration.llm_part import llm_part
from calibration.probes import embedding, engine
from calibration.probes.samples import StepPoint
from simcore.profile.ensemble import members
from simcore.profile.use import embed_time, step_time
from simcore.step import Step
from tests.factories import profile
from tests.unit.test_calibration_fit import TRUE, embed_batches, points, steps

TIMES = 200
QUANTILE = float(stats.t.ppf(0.975, SIZE))


def holds(truth: float, best: float, others: Sequence[float]) -> bool:
    """Whether the interval that a run makes of them holds the truth."""
    half = QUANTILE * float(np.sqrt(np.mean((np.array(others) - best) ** 2)))
    return abs(truth - best) <= half


def line() -> Array:
    return np.column_stack([np.ones(40), np.linspace(1, 30, 40)])


@pytest.mark.parametrize(("of_block", "of_point", "blocks"), [(0.0, 0.05, 40), (0.05, 0.02, 20)])
def test_intervals_of_predictions_hold_the_truth_as_often_as_they_say(
    of_block: float, of_point: float, blocks: int
) -> None:
    """In 90 to 98% of 200 calibrations, within and beyond the points, whether or not they share errors."""
    design, truth = line(), np.array([5.0, 0.5])
    numbers = np.arange(40) % blocks
    asked = np.array([[1.0, 3.0], [1.0, 20.0], [1.0, 300.0]])
    covered = np.zeros(len(asked))
    for seed in range(TIMES):
        rng = np.random.default_rng(seed)
        shared = rng.normal(0.0, of_block, blocks)[numbers]
        seconds = design @ truth * np.exp(shared + rng.normal(0.0, of_point, 40))
        best = solve(design, seconds)[0]
        drawn = alternatives(design, design @ best, seconds, numbers.tolist())
        others = np.array([solve(design, row)[0] for row in drawn])
        covered += [holds(row @ truth, row @ best, others @ row) for row in asked]
    assert (covered >= 0.90 * TIMES).all()
    assert (covered <= 0.98 * TIMES).all()


def test_step_times_are_held_about_as_often_as_the_interval_says() -> None:
    asked = [Step(8, 2400), Step(24, 9600), Step(0, 0, 1, 200, 2e4), Step(12, 2400, 1, 200, 2e4)]
    covered = 0
    for seed in range(40):
        measured = points(TRUE, 0.03, seed)
        best = best_form(measured)
        drawn = step_draws(measured, best)
        covered += sum(holds(TRUE(step), best(step), [one(step) for one in drawn]) for step in asked)
    assert 0.90 <= covered / (40 * len(asked)) <= 1.0


def test_members_diverge_beyond_what_was_measured() -> None:
    """Contexts up to 300 tokens hardly tell what one token of it costs, which at 10,500 is most of a step."""
    measured = [p for p in points(TRUE, 0.03) if p.step.decode_context <= 300 * p.step.decodes]
    best = best_form(measured)
    drawn = step_draws(measured, best)

    def spread(step: Step) -> float:
        return float(np.std([one(step) for one in drawn])) / best(step)

    within, beyond = spread(Step(64, 64 * 300)), spread(Step(64, 64 * 300 * 35))
    assert beyond > 2 * within


def test_exact_points_allow_no_other_fit() -> None:
    exact = points(TRUE, 0.0)
    for one in step_draws(exact, best_form(exact)):
        assert one(Step(8, 2400)) == pytest.approx(TRUE(Step(8, 2400)), rel=1e-6)
    batches = embed_batches(0.0)
    for drawn in embed_draws(batches):
        assert drawn((100, 20)) == pytest.approx(fit_embed_time(batches).embed_time((100, 20)), rel=1e-6)


def test_points_of_a_block_move_together_and_the_same_in_each_call() -> None:
    design, blocks = line(), [i // 8 for i in range(40)]
    seconds = design @ [5.0, 0.5] * np.exp(np.random.default_rng(3).normal(0.0, 0.05, 40))
    fitted = design @ solve(design, seconds)[0]
    drawn = alternatives(design, fitted, seconds, blocks)
    assert drawn.shape == (SIZE, 40)
    ratios = (drawn / fitted - 1) / (drawn[0] / fitted - 1)
    assert np.allclose(np.abs(ratios), 1.0)
    assert all(np.ptp(ratios[:, number * 8 : number * 8 + 8], axis=1).max() < 1e-6 for number in range(5))
    assert len(np.unique(ratios.round(), axis=0)) > 10
    assert (alternatives(design, fitted, seconds, blocks) == drawn).all()


def test_draws_keep_the_tables_that_the_fit_has() -> None:
    bent = [
        replace(p, seconds=p.seconds * (1.3 if p.step.decodes == 4 and not p.step.prefills else 1.0))
        for i in range(3)
        for p in points(TRUE, 0.01, i)
    ]
    scenes = [StepPoint(f"{i}", p.step, p.seconds, p.samples, False) for i, p in enumerate(bent)]
    fit = fit_step_time(scenes).step_time
    assert fit.decode_correction.at
    drawn = step_draws(scenes, fit)
    assert all(one.decode_correction.at == fit.decode_correction.at for one in drawn)
    assert len({one.decode_correction.factor for one in drawn}) > 10
    assert np.mean([one(Step(4, 1200)) for one in drawn]) == pytest.approx(fit(Step(4, 1200)), rel=0.02)


def test_draws_of_a_replayed_fit_hold_the_truth() -> None:
    at, truth = np.linspace(1.0, 30.0, 30), {"constant": 5.0, "token": 0.5}
    covered = np.zeros(3)
    for seed in range(TIMES):
        noise = np.exp(np.random.default_rng(seed).normal(0.0, 0.05, 30))
        seen = (truth["constant"] + truth["token"] * at) * noise

        def errors(values: dict[str, float], seen: Array = seen) -> Array:
            return (values["constant"] + values["token"] * at) / seen - 1

        found = fit_replay([Parameter("constant", 4, 0.1, 100), Parameter("token", 1, 0.01, 10)], errors)
        for number, place in enumerate((2.0, 15.0, 300.0)):
            row = {"constant": 1.0, "token": place}
            sums = [sum(v[name] * row[name] for name in row) for v in (truth, found.values, *found.draws)]
            covered[number] += holds(sums[0], sums[1], sums[2:])
    assert (covered >= 0.90 * TIMES).all()
    assert (covered <= 0.99 * TIMES).all()


def test_members_join_the_draws_of_all_parts() -> None:
    steps_of = [{"step_time": {"constant": 0.01 + i / 1000}} for i in range(4)]
    batches = [{"embed_time": {"constant": 0.02 + i / 1000}} for i in range(3)]
    joined = ensemble({"llm": steps_of, "embedding": batches, "retrieval": []})
    assert joined == [{"llm": one, "embedding": other} for one, other in zip(steps_of, batches, strict=False)]
    assert ensemble({"llm": []}) == ensemble({}) == []
    made = members(profile().model_copy(update={"ensemble": joined}))
    assert [one.embedding.embed_time.constant for one in made if one.embedding] == [0.02, 0.021, 0.022]


def test_the_points_here_are_of_all_kinds() -> None:
    assert {step.kind for step in steps()} == {"prefill", "decode", "mixed"}


class Measurements:
    """A campaign of nothing but what was recorded, on a CPU."""

    device = "cpu"

    def __init__(self, **groups: list[dict[str, Any]]) -> None:
        self._groups = groups

    def records(self, group: str) -> list[dict[str, Any]]:
        return self._groups.get(group, [])


def recorded() -> Measurements:
    rng = np.random.default_rng(2)
    timed = [(p.scene, asdict(p.step), p.seconds) for p in points(TRUE, 0.03)]
    batches = [
        {"texts": list(p.texts), "seconds": p.seconds, "tokenise": p.tokenise} for p in embed_batches(0.03)
    ]
    return Measurements(
        **{
            engine.GROUP: [
                {"scene": scene, "held_out": False, "label": "", "step": step, "seconds": s, "cpu": s}
                for scene, step, seconds in timed
                for s in (seconds * rng.normal(1.0, 0.01) for _ in range(3))
            ],
            embedding.GROUP: [one | {"held_out": False, "cpu": one["seconds"]} for one in batches],
        }
    )


def test_a_campaign_gives_valid_members() -> None:
    campaign = cast(Campaign, recorded())
    facts = profile().llm
    assert facts
    joined = ensemble(
        {
            "llm": llm_part(campaign, model_shape("qwen2-11m"), {"facts": facts.engine.model_dump()})[2],
            "embedding": embedding_own(campaign),
        }
    )
    made = members(profile().model_copy(update={"ensemble": joined}))
    assert len(made) == SIZE
    times = [step_time(one.llm)(Step(8, 2400)) for one in made if one.llm]
    assert np.mean(times) == pytest.approx(TRUE(Step(8, 2400)), rel=0.03)
    assert 0.001 < np.std(times) / np.mean(times) < 0.05
    batches = [embed_time(one.embedding)((32,) * 8) for one in made if one.embedding]
    assert 0.001 < np.std(batches) / np.mean(batches) < 0.1
