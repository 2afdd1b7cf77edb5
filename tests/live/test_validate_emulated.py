"""A short validation on two emulated servers: vLLM's engine and API server are real, its model is a wait."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from simcore.profile.load import load_profile
from simcore.profile.use import step_time
from simcore.step import Step
from tests.live.needs import needs
from tests.live.processes import processes
from tests.live.validating import validated

pytestmark = needs(("vllm",), "an emulated server")

PROFILE = "a100x2-llama-3.1-70b"
PROMPT, ANSWER = 100, 10
SCENARIO = f"""\
schema_version: 1
name: short
duration_s: 12
warmup_s: 2
drain_s: 30
streams:
  chat:
    kind: chat
    arrivals: {{process: constant, rate: 1}}
    prompt_tokens: {{distribution: constant, value: {PROMPT}}}
    output_tokens: {{distribution: constant, value: {ANSWER}}}
backends:
  llm: {{kind: llm, profile: cpu-qwen2-11m, count: 2}}
control_plane: {{costs_profile: cpu-qwen2-40m}}
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return validated(tmp_path_factory.mktemp("emulated"), SCENARIO, "--emulate", PROFILE)


def test_every_request_was_answered(out: Path) -> None:
    live = pd.read_parquet(out / "live.parquet")
    assert set(live["outcome"]) == {"completed"}
    assert set(live["output_tokens"]) == {ANSWER}


def test_no_step_is_shorter_than_the_profiles(out: Path) -> None:
    live = pd.read_parquet(out / "live.parquet")
    profile = load_profile(PROFILE, Path()).llm
    assert profile is not None
    seconds = step_time(profile)
    first = seconds(Step(prefills=1, prefill_tokens=PROMPT, prefill_attention=PROMPT * PROMPT / 2))
    others = sum(seconds(Step(decodes=1, decode_context=PROMPT + n)) for n in range(1, ANSWER))
    took = live["finished_s"] - live["arrival_s"]
    assert took.min() > first + others
    assert (live["first_token_s"] - live["arrival_s"]).min() > first


def test_the_verdict_says_what_was_emulated_and_how_much_was_done(out: Path) -> None:
    environment = json.loads((out / "environment.json").read_text())
    assert environment["emulated"] == {"step_times": [PROFILE], "overheads": "cpu-qwen2-40m"}
    assert f"waited the step times of {PROFILE}" in (out / "report.html").read_text()
    (throughput,) = json.loads((out / "verdict.json").read_text())["throughputs"]
    assert throughput["live_per_s"] > 0.5
    assert abs(throughput["error"]) < 0.2


def test_no_process_is_left_behind(out: Path) -> None:
    assert not processes(out.parent)
