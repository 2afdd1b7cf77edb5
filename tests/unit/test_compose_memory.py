"""KV blocks as vLLM counts them, against counts that engines reported, and the memory behind them by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calibration.compose.facts import device
from calibration.compose.kv_blocks import activation_bytes, kv_blocks
from calibration.compose.sampler import sampler_bytes
from calibration.compose.serving import Serving
from calibration.compose.shape import ModelShape, model_shape

LLAMA_8B = model_shape("llama-3.1-8b")
LLAMA_70B = model_shape("llama-2-70b")
CODELLAMA_34B = replace(LLAMA_70B, layers=48, intermediate=22016)


def served(shape: ModelShape, tp: int, seqs: int, tokens: int, vllm: str, share: float = 0.9) -> Serving:
    return Serving(
        shape,
        tp,
        max_num_seqs=seqs,
        max_num_batched_tokens=tokens,
        vllm_version=vllm,
        gpu_memory_utilization=share,
    )


@pytest.mark.parametrize(
    ("gpu", "serving", "reported"),
    [
        ("h100-sxm", served(LLAMA_8B, 1, 256, 8192, "0.25.1", 0.4), 7853),
        ("rtx-4090", served(LLAMA_8B, 1, 256, 2048, "0.19.0"), 2588),
        ("rtx-4090", served(LLAMA_8B, 1, 128, 2048, "0.19.0"), 2959),
        ("h100-sxm", served(LLAMA_70B, 4, 128, 2048, "0.15.1"), 31_356),
        ("h100-sxm", served(CODELLAMA_34B, 2, 128, 2048, "0.15.1"), 26_602),
    ],
)
def test_blocks_are_within_four_percent_of_those_that_engines_had(
    gpu: str, serving: Serving, reported: int
) -> None:
    """An engine of our own; LLMServingSim's two (the second by what its run held); inference-sim's two."""
    assert kv_blocks(device(gpu), serving) == pytest.approx(reported, rel=0.04)


def test_the_profile_runs_memory_by_hand() -> None:
    serving = served(LLAMA_8B, 1, 256, 8192, "0.19.0")
    assert activation_bytes(serving) == 2 * 8192 * (2 * 4096 + 3 * 14336)
    assert sampler_bytes(serving) == 28 * 256 * 128256
    few = served(LLAMA_8B, 1, 256, 64, "0.19.0")
    assert sampler_bytes(few) == 28 * 64 * 128256, "a step of 64 tokens samples 64 at most"


def test_only_the_larger_of_activations_and_sampler_counts() -> None:
    h100, gib = device("h100-sxm"), 2**30
    block = 16 * 131_072
    many, few = (served(LLAMA_8B, 1, seqs, 2048, "0.19.0") for seqs in (1024, 8))
    less = (28 * 1024 * 128256 - 2 * 2048 * (2 * 4096 + 3 * 14336)) / block
    assert kv_blocks(h100, few) - kv_blocks(h100, many) == pytest.approx(less, abs=1)
    graphs = kv_blocks(h100, few) - kv_blocks(h100, replace(few, vllm_version="0.21"))
    assert graphs == pytest.approx(0.2 * gib / block, abs=1)


def test_flashinfer_samples_in_half_the_memory_and_old_versions_count_the_context() -> None:
    h100, block = device("h100-sxm"), 16 * 131_072
    old = served(LLAMA_8B, 1, 1024, 2048, "0.8.5")
    sampled = replace(old, flashinfer_sampler=True)
    assert sampler_bytes(sampled) == 14 * 1024 * 128256
    assert kv_blocks(h100, sampled) - kv_blocks(h100, old) == pytest.approx(14 * 1024 * 128256 / block, abs=1)
    context = kv_blocks(h100, replace(old, vllm_version="0.9.1")) - kv_blocks(h100, old)
    assert context == pytest.approx(0.5 * 2**30 / block, abs=1)
