"""The black-box fit: coefficients that made the observations are found again; what is not told is refused."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from calibration.blackbox.blocks import Block, guess, idle_drift
from calibration.blackbox.calibrate_url import assumed_engine, profile_of
from calibration.blackbox.design import Plan, Point
from calibration.blackbox.fit import fit_blocks
from calibration.blackbox.played import observed, play, replay
from calibration.errors import CalibrationError, Underdetermined
from calibration.fits.ensemble import SIZE
from calibration.store import Record
from simcore.profile.base import Overheads
from simcore.profile.llm import LLMProfile, StepTimeParameters
from simcore.profile.steptime import StepTime
from simcore.step import Step

ENGINE = assumed_engine()
PLAN = Plan("test", concurrency=(1, 8), waves=1, arrivals=24, shares=(0.3, 0.8), repetitions=1)


def profile(floor: float = 0.0, token: float = 1.2e-4) -> LLMProfile:
    return LLMProfile(
        model="m",
        step_time=StepTimeParameters(
            constant=5e-3, token=token, decode=3e-4, context=1e-6, attention=2e-8, floor=floor
        ),
        engine=ENGINE,
        overheads=Overheads(request=8e-3),
        batch_range=(0, 0),
        context_range=(0, 0),
        chunk_range=(0, 0),
        fit={},
    )


def sent(point: Point) -> list[Record]:
    """Requests of the point: all at once on a plateau, at random moments of the open loop."""
    draw = random.Random(point.name)
    gap = 0.0 if point.kind != "rate" else 0.25 / point.level
    moments = [
        sum(draw.expovariate(1 / gap) for _ in range(i)) if gap else 0.0 for i in range(point.requests)
    ]
    return [
        {"intended": moment, "prompt_tokens": prompt, "output_tokens": output}
        for moment, (prompt, output) in zip(sorted(moments), point.sizes(0), strict=True)
    ]


def made_by(truth: LLMProfile, noise: float = 0.0) -> list[Block]:
    """Blocks as an engine of that profile would have answered them, every time off by up to ``noise``."""
    draw = random.Random(0)
    blocks = []
    for point in (*PLAN.steady, *PLAN.rates):
        requests = sent(point)
        for record, answered in zip(requests, replay(requests, truth)[0], strict=True):
            off = 1 + draw.uniform(-noise, noise)
            record["first"] = answered.arrival + (answered.first_token - answered.arrival) * off
            record["last"] = record["first"] + (answered.finished - answered.first_token) * off
        blocks.append(Block(f"{point.name}/0", point.kind, point.held_out, requests, observed(requests)))
    return blocks


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    return made_by(profile(), noise=0.03)


def test_a_replay_of_the_truth_is_what_was_observed() -> None:
    for block in made_by(profile()):
        said = play(block.requests, profile()).latency
        assert said.ttft == pytest.approx(block.seen.ttft)
        assert said.tpot == pytest.approx(block.seen.tpot)


def test_a_lone_request_costs_its_overhead_and_its_steps() -> None:
    form = StepTime(**profile().step_time.model_dump())
    request = {"intended": 1.0, "prompt_tokens": 100, "output_tokens": 3}
    said = play([request], profile()).latency
    assert said.ttft == pytest.approx(8e-3 + form(Step(0, 0, 1, 100, 100 * 50)))
    assert said.tpot == pytest.approx((form(Step(1, 101)) + form(Step(1, 102))) / 2)


def test_coefficients_are_found_again_within_their_intervals(blocks: list[Block]) -> None:
    found = fit_blocks(blocks, "m", ENGINE)
    truth = profile().step_time.model_dump()
    fitted = found.llm.step_time.model_dump()
    for name in ("constant", "token", "decode"):
        assert fitted[name] == pytest.approx(truth[name], rel=0.15)
    for name, (low, high) in found.llm.intervals.items():
        assert low <= fitted[name] <= high
    assert found.llm.overheads.request == pytest.approx(8e-3, rel=0.15)
    low, high = found.request_interval
    assert low < 8e-3 < high
    for quality in found.llm.fit.values():
        assert quality.held_out == sum(block.held_out for block in blocks)
        assert quality.median_abs_error < 0.03
    assert found.llm.batch_range[1] > 4
    assert found.llm.step_time.floor == 0.0
    of_a_token = [step_time_of(one)(Step(0, 0, 1, 100, 5000)) for one in found.own]
    assert len(of_a_token) == pytest.approx(SIZE, abs=1)
    assert np.mean(of_a_token) == pytest.approx(StepTime(**fitted)(Step(0, 0, 1, 100, 5000)), rel=0.05)
    assert 0.001 < np.std(of_a_token) / np.mean(of_a_token) < 0.1


def step_time_of(member: dict[str, Any]) -> StepTime:
    assert set(member) == {"step_time", "overheads"}
    return StepTime(**member["step_time"])


def test_held_out_blocks_have_no_part_in_the_fit(blocks: list[Block]) -> None:
    def worse(requests: list[Record]) -> list[Record]:
        return [r | {"first": r["first"] + 1.0, "last": r["last"] + 9.0} for r in requests]

    changed = [
        b if not b.held_out else Block(b.name, b.kind, True, worse(b.requests), observed(worse(b.requests)))
        for b in blocks
    ]
    before, after = fit_blocks(blocks, "m", ENGINE).llm, fit_blocks(changed, "m", ENGINE).llm
    assert after.step_time == before.step_time
    assert after.fit["ttft"].median_abs_error > 10 * before.fit["ttft"].median_abs_error


def test_a_floor_is_found_where_the_weights_read_dominates() -> None:
    found = fit_blocks(made_by(profile(floor=0.02, token=5e-5), noise=0.01), "m", ENGINE).llm.step_time
    assert found.floor > 0.0
    assert found.constant + found.floor == pytest.approx(0.025, rel=0.05)
    assert found.token == pytest.approx(5e-5, rel=0.1)


def test_idle_blocks_alone_cannot_tell_the_cost_of_a_batch(blocks: list[Block]) -> None:
    with pytest.raises(Underdetermined, match=r"constant|decode"):
        fit_blocks([b for b in blocks if b.kind == "idle"], "m", ENGINE)


def test_too_few_prompt_lengths_are_refused(blocks: list[Block]) -> None:
    with pytest.raises(Underdetermined, match="too few prompts"):
        fit_blocks([b for b in blocks if b.kind != "idle"], "m", ENGINE)


def test_the_guess_reads_the_idle_server(blocks: list[Block]) -> None:
    start = guess(blocks)
    assert start.step == pytest.approx(5.5e-3, rel=0.1)
    assert start.token == pytest.approx(1.3e-4, rel=0.2)


def test_a_request_that_the_assumed_engine_cannot_hold_is_told() -> None:
    small = profile().model_copy(update={"engine": ENGINE.model_copy(update={"num_gpu_blocks": 4})})
    with pytest.raises(CalibrationError, match="num_gpu_blocks could not"):
        play([{"intended": 0.0, "prompt_tokens": 100, "output_tokens": 3}], small)


def test_the_profile_says_what_was_assumed_and_that_it_drifted(blocks: list[Block]) -> None:
    document = profile_of(blocks, PLAN, "p", "m", ENGINE, assumed=True)
    assert document.provenance.how == "measured"
    assert "assumed" in document.provenance.notes[-1]
    assert "num_gpu_blocks 100000" in document.provenance.notes[-1]
    given = profile_of(blocks, PLAN, "p", "m", ENGINE, assumed=False)
    assert "given by the caller" in given.provenance.notes[-1]


def test_drift_is_the_distance_between_repetitions(blocks: list[Block]) -> None:
    assert idle_drift(blocks, 1) == 0.0
    idle = [b for b in blocks if b.kind == "idle"]
    slower = [{**r, "last": r["first"] + 1.2 * (r["last"] - r["first"])} for b in idle for r in b.requests]
    again = [Block("again/1", "idle", False, [r], observed([r])) for r in slower]
    assert idle_drift([*idle, *again], 2) == pytest.approx(0.2)
