"""Steps composed from kernel tables, a run's record and its replay, on hand-made figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calibration.compose.attention_kernel import AttentionKernel, Skew
from calibration.compose.composition import Composition
from calibration.compose.design import Limits
from calibration.compose.kernel_tables import TIMES_IN_LAYER, TIMES_IN_OUTPUT, TIMES_IN_STEP, KernelTables
from calibration.compose.serving import Serving
from calibration.compose.shape import model_shape
from calibration.derive.kv_pressure import full_kv_blocks
from calibration.derive.served_run import ServedRun
from calibration.derive.served_steps import chunks, served_steps, spread
from calibration.errors import CalibrationError
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile

LLAMA = model_shape("llama-3.1-8b")
LIMITS = Limits(max_num_seqs=32, max_num_batched_tokens=2048, max_model_len=16384, kv_tokens=38_000)
ATTENTION_COLUMNS = ["prefill_chunk", "kv_prefill", "n_decode", "kv_decode", "time_us"]


def served(layers: int, most: int = 0, **changes: object) -> Serving:
    """A model of so many layers; CUDA graphs up to twice ``most`` sequences, 0: none."""
    shape = replace(LLAMA, layers=layers, **changes)  # type: ignore[arg-type]
    return Serving(shape, max_num_seqs=most)


def attention_table() -> pd.DataFrame:
    """Decodes take n * kv; prompts chunk squared and the KV before; both at once 1000 more than all of it."""
    rows = []
    for n in (1, 2, 4):
        rows += [(0, 0, n, kv, n * kv) for kv in (16, 32, 64)]
    for chunk in (16, 32, 64):
        rows += [(chunk, kp, 0, 0, chunk**2 + kp) for kp in (0, 16, 32)]
        for kp in (0, 16, 32):
            rows += [
                (chunk, kp, n, kv, 1000 + chunk**2 + kp + n * kv) for n in (1, 2, 4) for kv in (16, 32, 64)
            ]
    return pd.DataFrame(rows, columns=ATTENTION_COLUMNS)


def write_tables(folder: Path, without: str = "") -> None:
    layers = [name for name in (*TIMES_IN_LAYER, *TIMES_IN_STEP) if name != without]
    dense = [(name, tokens, tokens) for name in layers for tokens in (1, 3, 200)]
    pd.DataFrame(dense, columns=["layer", "tokens", "time_us"]).to_csv(folder / "dense.csv", index=False)
    output = [(name, n, 10 * n) for name in TIMES_IN_OUTPUT for n in (1, 4)]
    pd.DataFrame(output, columns=["layer", "sequences", "time_us"]).to_csv(
        folder / "per_sequence.csv", index=False
    )
    attention_table().to_csv(folder / "attention.csv", index=False)


def test_a_step_is_its_layers_its_ends_and_its_output(tmp_path: Path) -> None:
    write_tables(tmp_path)
    seconds = KernelTables(tmp_path, served(3))
    in_layer, in_step = sum(TIMES_IN_LAYER.values()), sum(TIMES_IN_STEP.values())
    dense, output, attention = 2 * (3 * in_layer + in_step), 2 * 20, 3 * (2 * 24)
    assert seconds(Composition(decodes=(24, 24))) == pytest.approx((dense + output + attention) * 1e-6)


def test_dense_layers_work_on_the_padded_batch(tmp_path: Path) -> None:
    write_tables(tmp_path)
    bare, padded = KernelTables(tmp_path, served(1)), KernelTables(tmp_path, served(1, most=2))
    per_token = sum(TIMES_IN_LAYER.values()) + sum(TIMES_IN_STEP.values())
    step = Composition(decodes=(16, 16, 16))
    assert padded(step) - bare(step) == pytest.approx(per_token * 1e-6)


def test_tables_that_lack_something_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"no dense, per_sequence, attention\.csv"):
        KernelTables(tmp_path, served(1))
    write_tables(tmp_path, without="qkv_proj")
    with pytest.raises(CalibrationError, match="no qkv_proj"):
        KernelTables(tmp_path, served(1))


@pytest.mark.parametrize(
    ("composition", "microseconds"),
    [
        (Composition(decodes=(40, 56)), 2 * 48),
        (Composition(decodes=(8,)), 16),
        (Composition(decodes=(128,)), 128),
        (Composition(chunks=((24, 32),)), 32**2 + 24),
        (Composition(chunks=((0, 48),)), (32**2 + 64**2) / 2),
        (Composition((48, 48), ((24, 32),)), 1000 + 32**2 + 24 + 2 * 48),
        (Composition(chunks=((0, 32), (0, 32))), 2 * 32**2),
        (Composition((48, 48), ((0, 32), (0, 32))), 1000 + 2 * 32**2 + 2 * 48),
    ],
)
def test_attention_is_linear_between_sizes_and_one_kernel(
    composition: Composition, microseconds: float
) -> None:
    assert AttentionKernel(attention_table())(composition) == pytest.approx(microseconds * 1e-6)


def test_a_size_that_was_not_measured_goes_on_along_the_kv_length() -> None:
    table = attention_table()
    missing = (table["n_decode"] == 4) & (table["kv_decode"] == 64)
    assert AttentionKernel(table[~missing])(Composition(decodes=(64,) * 4)) == pytest.approx(256e-6)


def test_the_longest_kv_counts_by_the_share_in_the_skew_table() -> None:
    columns = ["regime", "n", "t_mean_us", "t_max_us", "t_skew_us"]
    rows = [("pure", 2, 100, 200, 125), ("pure", 4, 100, 300, 200), ("mixed", 2, 100, 200, 150)]
    skew = Skew(pd.DataFrame(rows, columns=columns))
    assert [skew("pure", n) for n in (1, 2, 3, 4, 9)] == pytest.approx([0, 0.25, 0.375, 0.5, 0.5])
    kernel = AttentionKernel(attention_table(), skew)
    assert kernel(Composition(decodes=(32, 64))) == pytest.approx((96 + 0.25 * (128 - 96)) * 1e-6)
    mixed = kernel(Composition((32, 64), ((0, 16),)))
    assert mixed == pytest.approx((1000 + 16**2 + 96 + 0.5 * (128 - 96)) * 1e-6)


def test_spread_keeps_the_mean_and_chunks_the_tokens() -> None:
    assert spread(1000, 1) == (1000,)
    lengths = spread(1000, 64)
    assert np.mean(lengths) == pytest.approx(1000, abs=0.5)
    assert np.log(lengths).std() == pytest.approx(0.42, abs=0.02)
    assert chunks(100, 3, computed=7) == ((7, 34), (0, 33), (0, 33))


def test_served_steps_stay_within_the_limits_and_hold_some_out() -> None:
    steps = served_steps(LIMITS)
    kinds = {(bool(s.composition.decodes), bool(s.composition.chunks), s.held_out) for s in steps}
    assert len(kinds) == 6
    fitted = {s.composition for s in steps if not s.held_out}
    assert not fitted & {s.composition for s in steps if s.held_out}
    for step in (s.composition.step for s in steps):
        assert step.tokens <= LIMITS.max_num_batched_tokens
        assert step.batch <= LIMITS.max_num_seqs
        assert step.decode_context <= LIMITS.kv_tokens * 1.01


Times = tuple[int, int, float, float, float]


def write_run(folder: Path, requests: list[Times], ticks: list[tuple[int, int, int]]) -> None:
    """Requests: prompt, output, queued, first token, last token. Ticks: generated, running, waiting."""
    names = ("input_toks", "output_toks", "queued_ts", "first_token_ts", "last_token_ts")
    lines = [dict(zip(names, request, strict=True)) for request in requests]
    lines = [{**line, "scheduled_ts": line["queued_ts"]} for line in lines]
    (folder / "requests.jsonl").write_text("\n".join(map(json.dumps, lines)))
    engine = {"max_num_seqs": 4, "max_num_batched_tokens": 64}
    (folder / "meta.json").write_text(json.dumps({"engine_kwargs": engine}))
    pd.DataFrame(ticks, columns=["gen_throughput", "running", "waiting"]).to_csv(
        folder / "timeseries.csv", index=False
    )


def test_kv_blocks_are_the_most_held_before_one_comes_back(tmp_path: Path) -> None:
    requests = [(159, 99, 7.0, 7.5, 90.0), (159, 99, 7.0, 7.5, 90.0), (31, 99, 7.1, 7.5, 90.0)]
    ticks = [(3, 3, 0), (48, 3, 0), (40, 2, 1), (32, 2, 1), (16, 3, 0), (480, 3, 0)]
    write_run(tmp_path, requests, ticks)
    # 16 steps in both seconds that three decode; then two go on with as many, and hold
    # ceil((160 + 48) / 16) = 13 blocks each at most: 26, against 11 + 11 + 3 before.
    assert full_kv_blocks(ServedRun(tmp_path)) == 26 + 1


def test_a_run_without_preemption_does_not_tell_its_kv_blocks(tmp_path: Path) -> None:
    write_run(tmp_path, [(10, 5, 0.0, 0.5, 2.0)], [(1, 1, 0), (4, 1, 0)])
    with pytest.raises(CalibrationError, match="no request was preempted"):
        full_kv_blocks(ServedRun(tmp_path))


def test_latencies_count_from_the_queue(tmp_path: Path) -> None:
    write_run(tmp_path, [(10, 5, 100.0, 100.5, 102.5), (10, 1, 101.0, 101.25, 101.25)], [(1, 1, 0)])
    figures = ServedRun(tmp_path).measured().figures()
    assert figures["TTFT", "mean"] == pytest.approx(0.375)
    assert figures["TPOT", "p50"] == pytest.approx(0.5)
    assert figures["E2E", "mean"] == pytest.approx((2.5 + 0.25) / 2)


def test_a_replay_takes_the_recorded_lengths_and_arrivals(tmp_path: Path) -> None:
    write_run(tmp_path, [(10, 3, 100.0, 1.0, 1.0), (70, 2, 109.0, 1.0, 1.0)], [(1, 1, 0)])
    replayed = ServedRun(tmp_path).replayed(steps_of_ten_ms())
    np.testing.assert_allclose(replayed.ttft, [0.01, 0.02], rtol=1e-9)
    np.testing.assert_allclose(replayed.tpot, [0.01, 0.01], rtol=1e-9)
    np.testing.assert_allclose(replayed.e2e, [0.03, 0.03], rtol=1e-9)
    with pytest.raises(ValueError, match="did not answer"):
        ServedRun(tmp_path).replayed(steps_of_ten_ms(), num_gpu_blocks=4)


def steps_of_ten_ms() -> ProfileDocument:
    document = load_profile("h100-llama-3.1-8b-published", Path()).model_dump()
    llm = document["llm"]
    llm["step_time"] = {"constant": 0.01}
    llm["overheads"] = {}
    llm["engine"]["enable_chunked_prefill"] = True
    return ProfileDocument.model_validate(document)
