"""LMBench's records, their replay and the fit to it; the shipped profile of a 70B server against them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calibration.compose.kv_blocks import kv_blocks
from calibration.derive import llmd_fit
from calibration.derive.llmd import ONE, compared, static_errors
from calibration.derive.llmd_fit import A100, NUM_GPU_BLOCKS, SERVING, document
from calibration.derive.lmbench import Latencies, LMBenchRun, conversations, read_run
from calibration.derive.lmbench_replay import PROFILE, Replay, sent_before
from calibration.derive.splitwise import StaticBatch, read_batches
from calibration.errors import CalibrationError
from simcore.profile.load import load_profile
from simcore.simulation import simulate

DATA = Path(os.environ.get("SIMSAGE_DATA", Path(__file__).parents[3] / "shared" / "data"))
TRUE = {"constant": 1.2e-2, "token": 3.2e-4, "decode": 3e-4, "request": 2e-2}
STRUCTURE = {
    "idx": [0, 1, 2, 3],
    "earlier_idx": [-1, 0, 0, 2],
    "approx_shared_prefix_tokens": [0, 3, 95, 200],
    "prompt_tokens": [100, 120, 210, 300],
}


def run_of(n: int, gap: float) -> LMBenchRun:
    """Two turns of each conversation, half a run apart."""
    nothing = np.ones(n)
    return LMBenchRun(
        arrivals=gap * np.arange(float(n)),
        prompt_tokens=300 + 37 * np.arange(n),
        output_tokens=20 + 11 * np.arange(n) % 60,
        conversations=np.arange(n) % (n // 2),
        measured=Latencies(nothing, nothing),
    )


def write(folder: Path, rows: int) -> None:
    pd.DataFrame(STRUCTURE).to_csv(folder / "sharegpt_prefix_structure.csv", index=False)
    (folder / ONE).mkdir()
    record = pd.DataFrame(
        {
            "prompt_tokens": STRUCTURE["prompt_tokens"],
            "generation_tokens": [5, 6, 7, 8],
            "ttft": [0.1, 0.2, 0.3, 0.4],
            "generation_time": [1.0, 2.0, 3.0, 4.0],
            "launch_time": [1e9, 1e9 + 2, 1e9 + 4, 1e9 + 6],
        }
    )
    record[:rows].to_csv(folder / ONE / "LMBench_sharegpt_output_0.5.csv", index=False)


def test_a_run_is_read_with_its_conversations(tmp_path: Path) -> None:
    write(tmp_path, rows=4)
    run = read_run(tmp_path, ONE, "0.5")
    assert run.arrivals.tolist() == [0, 2, 4, 6]
    assert run.conversations.tolist() == [0, 1, 0, 0]
    assert run.measured.figures()["TTFT", "mean"] == pytest.approx(0.25)
    assert run.measured.figures()["generation time", "p90"] == pytest.approx(3.7)


def test_a_run_that_lost_requests_is_refused(tmp_path: Path) -> None:
    write(tmp_path, rows=3)
    with pytest.raises(CalibrationError, match="3 of 4 requests"):
        read_run(tmp_path, ONE, "0.5")


def test_prompts_that_only_begin_alike_are_no_conversation() -> None:
    assert conversations(pd.DataFrame(STRUCTURE)).tolist() == [0, 1, 0, 0]


def test_a_replay_sends_what_was_recorded_after_a_warm_up(tmp_path: Path) -> None:
    run = run_of(8, gap=2.0)
    replay = Replay(run, 1, tmp_path)
    sent = simulate(replay.scenario, {PROFILE: document(TRUE)}, 0, tmp_path).requests
    counted = sent[-8:]
    assert [r.prompt_tokens for r in counted] == run.prompt_tokens.tolist()
    assert [r.output_tokens for r in counted] == run.output_tokens.tolist()
    np.testing.assert_allclose([r.arrival - counted[0].arrival for r in counted], run.arrivals)
    before = sent_before(run)
    assert len(sent) == 4 + len(before) + 8
    assert before["Request tokens"][-4:].tolist() == [180, 202, 224, 247]
    assert counted[0].arrival == pytest.approx(before["Timestamp"].max() + 60)


def test_a_later_turn_hits_the_turn_before_it(tmp_path: Path) -> None:
    run = run_of(8, gap=20.0)
    requests = simulate(Replay(run, 1, tmp_path).scenario, {PROFILE: document(TRUE)}, 0, tmp_path).requests
    first, second = requests[4:8], requests[8:12]
    assert [r.cached_tokens for r in first] == [0] * 4
    assert [r.cached_tokens for r in second] == [r.prompt_tokens // 16 * 16 for r in first]


def test_round_robin_takes_replicas_in_turn(tmp_path: Path) -> None:
    sent = simulate(
        Replay(run_of(8, gap=2.0), 2, tmp_path).scenario, {PROFILE: document(TRUE)}, 0, tmp_path
    ).requests
    assert [r.backend for r in sent[-8:]] in ([0, 1] * 4, [1, 0] * 4)


def test_coefficients_of_simulated_runs_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decode step and a token are; how a step divides into constant and decodes is less certain."""
    monkeypatch.setattr(llmd_fit, "DECODES", (2e-4,))
    draws = np.random.default_rng(1)
    load = draws.integers(200, 1900, 60), draws.integers(10, 450, 60), np.arange(60)
    replays = []
    for gap in (4.0, 1.0):
        run = LMBenchRun(gap * np.arange(60.0), *load, Latencies(np.ones(60), np.ones(60)))
        simulated = Replay(run, 1, tmp_path / "truth")(document(TRUE))
        replays.append(Replay(replace(run, measured=simulated), 1, tmp_path / str(gap)))
    found = llmd_fit.fit(replays)
    assert np.abs(found.errors).max() < 0.05
    assert found.values["token"] == pytest.approx(TRUE["token"], rel=0.05)
    step, true_step = (v["constant"] + 12 * v["decode"] for v in (found.values, TRUE))
    assert step == pytest.approx(true_step, abs=1e-3)


def test_a_form_is_compared_with_static_batches() -> None:
    batch = StaticBatch(prompt=512, batch=4, prompt_time=1.0, token_time=0.1)
    assert (batch.prefill.tokens, batch.prefill.prefill_attention) == (2048, 2048 * 256)
    assert (batch.decode.decodes, batch.decode.decode_context) == (4, 2048)
    prefill, decode = static_errors(document(TRUE), [batch])
    assert prefill == pytest.approx(0.012 + 2048 * 3.2e-4 + 2048 * 256 * 6.0e-9 - 1, abs=1e-4)
    assert decode == pytest.approx((0.012 + 0.03845 + 4 * 3e-4 + 2048 * 8.93e-8) / 0.1 - 1, abs=1e-3)


def test_blocks_lie_between_what_the_two_samplers_leave() -> None:
    """2,240 to 2,370 were fitted; which sampler the server had is not known, and either is worked out."""
    without, with_flashinfer = (
        kv_blocks(A100, replace(SERVING, flashinfer_sampler=it)) for it in (False, True)
    )
    assert without < 2240 < NUM_GPU_BLOCKS < 2370 < with_flashinfer


@pytest.mark.skipif(not (DATA / "llmd_a100").is_dir(), reason="SIMSAGE_DATA has no llmd_a100")
@pytest.mark.parametrize("rate", ["0.67", "0.84", "1"])
def test_the_shipped_profile_predicts_rates_that_were_not_fitted(rate: str) -> None:
    profile = load_profile("a100x2-llama-3.1-70b", Path())
    assert profile.llm is not None
    assert profile.llm.engine.num_gpu_blocks == NUM_GPU_BLOCKS
    for key, (simulated, measured) in compared(DATA, profile, ONE, rate).items():
        assert simulated == pytest.approx(measured, rel=0.10), key


@pytest.mark.skipif(not (DATA / "splitwise").is_dir(), reason="SIMSAGE_DATA has no splitwise")
def test_static_batches_are_medians_of_two_gpus() -> None:
    batches = {(b.prompt, b.batch): b for b in read_batches(DATA / "splitwise")}
    assert max(batch for _, batch in batches) == 32
    assert batches[1024, 1].prompt_time == pytest.approx(0.377, abs=1e-3)
    assert batches[512, 32].token_time == pytest.approx(0.0722, abs=1e-4)
