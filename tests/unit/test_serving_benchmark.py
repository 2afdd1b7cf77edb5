"""The load of benchmark_serving.py as it was sent, its session replayed, the black-box fit to statistics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.compose.pcie import pcie_all_reduce
from calibration.derive.serving_benchmark import (
    GAP,
    BenchmarkedServer,
    BenchmarkRun,
    answers_shape,
    arrivals,
    output_lengths,
    prompt_lengths,
    read_servers,
)
from calibration.derive.serving_benchmark_fit import Fitted, fit_ensemble, predicted, softened
from calibration.derive.serving_benchmark_form import AllReduce, Known, alone, profile_of, with_prompts
from calibration.derive.serving_benchmark_replay import Lengths, drawn_lengths, session
from simcore.profile.llm import EngineFacts, StepTimeParameters

ENGINE = EngineFacts(num_gpu_blocks=8000, max_num_batched_tokens=2048, max_num_seqs=256, max_model_len=4096)
KNOWN = Known("m", 8e-3, StepTimeParameters(constant=0.0, token=5e-5, context=1e-7), ENGINE, 0.1)
TRUE = {
    "constant": 1e-2,
    "floor": 1e-3,
    "decode": 2e-5,
    "token": 6e-5,
    "request": 8e-3,
}
SEED, COUNT = 42, 40
LOAD = Fitted((1.0, 8.0), (16.0,), SEED)


def test_arrivals_are_numpys_gamma_draws_of_the_seed() -> None:
    assert arrivals(200, 1.0, 0)[-1] == pytest.approx(196.43770881)
    assert arrivals(200, 8.0, 42)[-1] == pytest.approx(arrivals(200, 1.0, 42)[-1] / 8)


def test_lengths_have_the_totals() -> None:
    draw = np.random.default_rng(0)
    prompts, outputs = prompt_lengths(41_000, 200, draw), output_lengths(42_000, 200, 1.3, draw)
    assert sum(prompts) == pytest.approx(41_000, rel=1e-3)
    assert (min(prompts) >= 4, max(prompts) <= 1024) == (True, True)
    assert sum(outputs) == pytest.approx(42_000, rel=3e-3)
    # A Weibull's median over its mean: ln(2) ** (1 / k) / gamma(1 + 1 / k).
    assert np.median(outputs) == pytest.approx(210 * 0.8168, rel=0.01)


def test_the_end_of_a_run_tells_the_shape_of_its_answers() -> None:
    idle, busy = run(1.0, tpot=0.010), run(8.0, tpot=0.012)
    shapes = []
    for number in range(40):
        lengths = np.array(output_lengths(COUNT * 200, COUNT, 1.3, np.random.default_rng(number)))
        end = (arrivals(COUNT, 8.0, SEED) + 0.02 + 0.011 * lengths).max()
        shapes.append(answers_shape(replace(busy, duration=float(end)), idle, SEED))
    assert np.median(shapes) == pytest.approx(1.3, rel=0.15)


def test_a_prefix_cache_answers_all_but_the_first_run() -> None:
    lengths = Lengths([400] * 20, [50] * 20)
    profile = profile_of(TRUE, KNOWN)
    said = session(profile, lengths, (1.0, 0.5), SEED).figures()
    assert said[0.5]["TTFT", "mean"] < said[1.0]["TTFT", "mean"] - 300 * TRUE["token"] / 2
    off = profile.model_copy(update={"engine": ENGINE.model_copy(update={"enable_prefix_caching": False})})
    again = session(off, lengths, (1.0, 0.5), SEED).figures()
    assert again[0.5]["TTFT", "mean"] == pytest.approx(again[1.0]["TTFT", "mean"], rel=0.05)


def test_an_idle_servers_gap_is_its_decode_step() -> None:
    said = session(profile_of(TRUE, KNOWN), Lengths([64] * 5, [20] * 5), (0.01,), SEED).figures()
    assert said[0.01][GAP] == pytest.approx(1e-2 + 1e-3 + 2e-5, rel=2e-3)


def test_decodes_alone_hide_behind_the_weights() -> None:
    form = StepTimeParameters(constant=1e-2, floor=1e-3, decode=2e-5, token=6e-5)
    table = alone(form, weights=8e-3)
    factors = dict(zip(table.at, table.factor, strict=True))
    bare = 1e-2 + 6e-5 * 64 + 2e-5 * 64
    assert factors[1] == pytest.approx(1.0)
    assert factors[64] * bare == pytest.approx(1.1e-2 + 2e-5 * 64)
    assert factors[1024] * (1e-2 + 8e-5 * 1024) == pytest.approx(2e-3 + 8e-5 * 1024)


def test_all_reduces_are_nccls_and_come_on_top() -> None:
    reduce = AllReduce(count=64, token_bytes=8192, devices=4, link=32e9)
    per_token = 2 * 3 / 4 * 8192
    longer = pcie_all_reduce(100 * per_token, 4, 16e9) - pcie_all_reduce(per_token, 4, 16e9)
    assert reduce(100, share=0.5) == pytest.approx(64 * longer)
    form = StepTimeParameters(constant=1e-2, floor=1e-3, decode=2e-5, token=6e-5)
    bare, tokens = 1e-2 + 6e-5 * 512, with_prompts(form, reduce, 0.5)
    assert dict(zip(tokens.at, tokens.factor, strict=True))[512] * bare == pytest.approx(
        bare + reduce(512, 0.5)
    )
    decodes = alone(form, 8e-3, reduce, 0.5)
    beside = 1e-2 + (6e-5 + 2e-5) * 64
    assert dict(zip(decodes.at, decodes.factor, strict=True))[64] * beside == pytest.approx(
        1.1e-2 + 2e-5 * 64 + reduce(64, 0.5)
    )


def test_large_errors_count_by_their_logarithm() -> None:
    small, large = softened(np.array([0.1, -300.0]))
    assert small == pytest.approx(0.1, rel=0.02)
    assert -15 < large < -13


def test_the_fit_finds_what_made_the_statistics() -> None:
    server = made_up_server()
    members = fit_ensemble(server, KNOWN, LOAD, 2)
    found = members[0].profile
    steps = found.step_time
    assert steps.constant + steps.floor == pytest.approx(TRUE["constant"] + TRUE["floor"], rel=0.03)
    assert found.overheads.request == pytest.approx(TRUE["request"], rel=0.15)
    assert [m.outlet for m in members] == [None, None]
    said = [m.figures((16.0, 8.0, 4.0, 1.0), SEED)[0][4.0] for m in members]
    lengths = drawn_lengths(server, LOAD.rates, SEED, 99)
    truth = session(profile_of(TRUE, KNOWN), lengths, (16.0, 8.0, 4.0), SEED).figures()[4.0]
    assert predicted(said)["TPOT", "mean"].value == pytest.approx(truth["TPOT", "mean"], rel=0.03)
    assert predicted(said)["TTFT", "mean"].value == pytest.approx(truth["TTFT", "mean"], rel=0.1)


def test_an_interval_is_wider_than_the_members() -> None:
    said = predicted([{GAP: 1.0}, {GAP: 1.1}, {GAP: 1.05}])[GAP]
    assert said.interval[0] < 1.0 < said.value < 1.1 < said.interval[1]


def test_reading_groups_runs_by_server(tmp_path) -> None:
    names = [f"{s}_{m}_ms" for m in ("ttft", "tpot") for s in ("mean", "p50", "p90", "p99")] + ["p50_itl_ms"]
    head = (
        "model_id,gpu_name,gpu_count,request_rate,completed,total_input_tokens,total_output_tokens,duration"
    )
    lines = [f"a/b,G,2,{rate},200,400,600,9.5,{','.join(map(str, range(1, 10)))}" for rate in (1.0, 8.0, 8.0)]
    (tmp_path / "t.csv").write_text("\n".join([f"{head},{','.join(names)}", *lines]))
    (server,) = read_servers(tmp_path / "t.csv")
    assert (server.name, server.rates, len(server.at(8.0))) == ("b on 2 x G", (1.0, 8.0), 2)
    assert server.runs[0].figures["TTFT", "p99"] == 0.004
    assert server.runs[0].figures[GAP] == 0.009


def run(rate: float, ttft: float = 0.02, tpot: float = 0.011) -> BenchmarkRun:
    figures = {(m, s): v for m, v in (("TTFT", ttft), ("TPOT", tpot)) for s in ("mean", "p50", "p90", "p99")}
    return BenchmarkRun(rate, COUNT, COUNT * 200, COUNT * 200, 20.0, figures | {GAP: tpot})


def made_up_server() -> BenchmarkedServer:
    """Statistics of a session that the simulator made itself with `TRUE`."""
    server = BenchmarkedServer("m", "G", 1, [run(1.0), run(8.0)])
    lengths = drawn_lengths(server, LOAD.rates, SEED, 99)
    said = session(profile_of(TRUE, KNOWN), lengths, (16.0, 8.0, 1.0), SEED).figures()
    tokens = sum(lengths.prompts), sum(lengths.outputs)
    pace = (said[8.0]["TPOT", "p50"] + said[1.0]["TPOT", "p50"]) / 2
    sent = arrivals(COUNT, 8.0, SEED) + said[8.0]["TTFT", "p50"]
    end = float((sent + pace * np.array(lengths.outputs)).max())
    return replace(
        server, runs=[BenchmarkRun(rate, COUNT, *tokens, end, dict(said[rate])) for rate in LOAD.rates]
    )
