"""Rows of the court's data sets, from made-up runs and from the recorded ones where they are."""

from __future__ import annotations

import pytest

from benchmarks.accuracy import h100_live, iog_vllm
from benchmarks.accuracy.row import DATA
from calibration.compose.kv_blocks import BLOCK_SIZE
from calibration.derive.iog_vllm import PREDICTED, known
from calibration.derive.serving_benchmark import METRICS, STATISTICS, BenchmarkedServer, BenchmarkRun
from calibration.derive.serving_benchmark_fit import Predicted

KEYS = [(metric, name) for metric in METRICS for name in STATISTICS]


def request(stream: str, arrival: float, first: float | None, end: float, tokens: int) -> dict[str, object]:
    names = ("stream", "arrival", "first_token", "finished", "output_tokens")
    return dict(zip(names, (stream, arrival, first, end, tokens), strict=True))


def test_a_live_stream_has_ttft_tpot_and_e2e_and_embeddings_the_last_alone() -> None:
    said = h100_live.statistics(
        [
            request("chat", 1.0, 1.5, 2.5, 11),
            request("chat", 2.0, 2.1, 2.1, 1),
            request("embed", 3.0, None, 3.25, 0),
        ]
    )
    assert set(said) == {("chat", "TTFT"), ("chat", "TPOT"), ("chat", "E2E"), ("embed", "E2E")}
    assert said["chat", "TTFT"]["mean"] == pytest.approx(0.3)
    assert said["chat", "TPOT"] == pytest.approx(dict.fromkeys(("mean", "p50", "p90", "p99"), 0.1))
    assert said["embed", "E2E"]["p99"] == pytest.approx(0.25)


def test_reruns_of_a_server_are_its_floor() -> None:
    runs = [measured(rate, scale) for rate in PREDICTED for scale in (1.0, 1.1)]
    server = BenchmarkedServer("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "NVIDIA-H100-PCIe", 1, runs)
    said = {rate: dict.fromkeys(KEYS, Predicted(0.011, (0.009, 0.012))) for rate in PREDICTED}
    rows = [*iog_vllm.rows_of(server, said)]
    assert [row.case for row in rows[::2]] == [f"R1-Qwen-7B 1xH100-PCIe, {rate}/s" for rate in (4, 16, 32)]
    figure = rows[0].figures["mean"]
    assert (figure.error, figure.floor, figure.held) == (pytest.approx(0.1), pytest.approx(0.1), True)


def test_what_a_server_is_taken_to_be() -> None:
    server = BenchmarkedServer("Qwen/QwQ-32B-Preview", "NVIDIA-H100-PCIe", 1, [])
    found = known(server)
    # 65.5 GB of weights at 90% of 2 TB/s, and 2 x 64 layers x 8 heads x 128 x 2 bytes a token.
    assert found.weights == pytest.approx(65.5e9 / 1.8e12, rel=0.01)
    assert found.steps.context == pytest.approx(262_144 / 1.8e12)
    assert 32_768 < found.engine.num_gpu_blocks * BLOCK_SIZE < 60_000
    assert (found.engine.max_num_batched_tokens, found.engine.max_num_seqs) == (8192, 1024)


def test_live_errors_are_those_that_were_published_with_the_recording() -> None:
    if not (DATA / h100_live.NAME).is_dir():
        pytest.skip("SIMSAGE_DATA names no folder with these runs")
    folder = DATA / h100_live.NAME
    scenario = h100_live.load_scenario(folder / "live.yaml")
    live = h100_live.live(folder, "0", scenario)["chat", "TTFT"]
    again = h100_live.live(folder, "7", scenario)["chat", "TTFT"]
    assert (live["mean"], again["mean"]) == (pytest.approx(0.0723, abs=1e-3), pytest.approx(0.0731, abs=1e-3))


def measured(rate: float, scale: float) -> BenchmarkRun:
    return BenchmarkRun(rate, 200, 40_000, 40_000, 50.0, dict.fromkeys(KEYS, 0.01 * scale))
