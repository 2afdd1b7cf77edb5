"""Joules from power samples: what made the samples up comes back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration.derive.live_power import fit_live, powers, read_live
from calibration.errors import Underdetermined
from calibration.fits.power import Work, fit_power, idle_watts, rates, spaced
from calibration.power_part import power_parts, step_works
from calibration.power_samples import PowerSample

IDLE = 100.0
JOULES = {"llm_step": 2.0, "llm_token": 0.01, "llm_kv_token": 1e-4, "embedding_token": 0.02}
H100_LIVE = Path(__file__).parents[3] / "shared" / "data" / "h100_live"


def made_up(seed: int = 1) -> tuple[list[PowerSample], list[Work]]:
    """Half a minute of steps and texts, five samples a second, each the mean of the second before it."""
    rng = np.random.default_rng(seed)
    works, now = [], 0.0
    while now < 30.0:
        seconds = rng.uniform(0.005, 0.05)
        amounts = {"llm_step": 1.0, "llm_token": rng.uniform(1, 500), "llm_kv_token": rng.uniform(0, 30_000)}
        works.append(Work(now, now + seconds, amounts))
        if rng.random() < 0.3:
            works.append(Work(now, now + seconds, {"embedding_token": rng.uniform(10, 500)}))
        now += seconds
    names = list(JOULES)
    ends = [PowerSample(float(at), 0.0, 1980.0) for at in np.arange(1.0, 30.0, 0.2)]
    watts = IDLE + rates(ends, works, names) @ np.array(list(JOULES.values()))
    return [PowerSample(s.at, float(w), s.sm_mhz) for s, w in zip(ends, watts, strict=True)], works


def test_joules_come_back_from_the_samples_that_they_made() -> None:
    fitted = fit_power(IDLE, *made_up())
    assert fitted.joules == pytest.approx(JOULES, rel=1e-6)


def test_the_parts_of_a_profile_hold_what_made_the_samples_up() -> None:
    samples, works = made_up()
    quiet = [PowerSample(40.0 + i, IDLE, 1980.0) for i in range(3)]
    llm, embedding = power_parts([*samples, *quiet], works, 700.0, "made up")
    assert llm is not None
    assert embedding is not None
    assert (llm.idle_watts, llm.limit_watts, llm.how) == (IDLE, 700.0, "measured")
    assert llm.joules_per_step == pytest.approx(2.0)
    assert llm.joules_per_kv_token == pytest.approx(1e-4)
    assert embedding.joules_per_token == pytest.approx(0.02)
    assert llm.fit is not None
    assert llm.fit.held_out == 6
    assert llm.fit.p90_abs_error < 1e-6


def test_a_servers_steps_follow_one_another() -> None:
    step = {"decodes": 2, "decode_context": 30, "prefills": 1, "prefill_tokens": 5, "prefill_attention": 0.0}
    log = [{"scheduled": 1.0, "updated": 3.0, "step": step}, {"scheduled": 2.0, "updated": 4.0, "step": step}]
    works = list(step_works(log, offset=100.0))
    assert [(work.since, work.until) for work in works] == [(101.0, 103.0), (103.0, 104.0)]
    assert works[0].amounts == {"llm_step": 1.0, "llm_token": 7, "llm_kv_token": 30}


def test_work_counts_in_the_second_before_a_sample_as_far_as_it_lies_there() -> None:
    samples = [PowerSample(2.0, 0.0, 0.0), PowerSample(4.0, 0.0, 0.0)]
    works = [Work(0.5, 1.5, {"llm_token": 8.0}), Work(1.9, 2.1, {"llm_token": 1.0})]
    assert rates(samples, works, ["llm_token"]).tolist() == [[pytest.approx(4.5)], [0.0]]


def test_samples_of_one_second_count_once() -> None:
    samples = [PowerSample(at, 1.0, 1.0) for at in (0.0, 0.5, 1.0, 1.9, 2.0)]
    assert [sample.at for sample in spaced(samples)] == [0.0, 1.0, 2.0]


def test_idle_is_the_median_away_from_work_with_the_clock_up() -> None:
    works = [Work(0.0, 1.0, {"llm_step": 1.0})]
    told = [(0.5, 500.0, 1980.0), (3.5, 300.0, 1980.0), (4.5, 130.0, 1980.0), (5.0, 132.0, 1980.0)]
    samples = [PowerSample(*one) for one in [*told, (5.5, 134.0, 1980.0), (6.0, 70.0, 345.0)]]
    assert idle_watts(samples, works) == 132.0
    with pytest.raises(ValueError, match="no sample of an idle device"):
        idle_watts(samples[:2], works)


def test_steps_that_are_all_alike_do_not_tell_joules_apart() -> None:
    alike = {"llm_step": 1.0, "llm_token": 10.0}
    works = [Work(i / 10, (i + 1) / 10, alike) for i in range(200)]
    samples = [PowerSample(float(at), 200.0, 1980.0) for at in range(1, 20)]
    with pytest.raises(Underdetermined):
        fit_power(IDLE, samples, works)


@pytest.mark.skipif(not H100_LIVE.is_dir(), reason="needs ../shared/data/h100_live")
def test_replays_that_were_held_out_draw_what_the_fit_says_within_3_percent() -> None:
    replays, idle = read_live(H100_LIVE)
    known = [replay for replay in replays if replay.variant in ("mixed low", "chat high")]
    others = [replay for replay in replays if replay not in known]
    fitted = fit_live(known, idle)
    assert len(others) == 3
    for replay in others:
        assert replay.said(fitted) == pytest.approx(replay.watts, rel=0.03)
    llm, embedding = powers(fitted, known, others)
    assert llm is not None
    assert embedding is not None
    assert 120 < llm.idle_watts < 140
    assert llm.joules_per_step > 0
    assert embedding.joules_per_token > 0
    assert embedding.joules_per_step == 0
