"""sampler: what sampling takes on the GPU beside the products that make the logits."""

from __future__ import annotations

from calibration.compose.facts import Device
from calibration.compose.serving import Serving
from calibration.compose.versions import SORTLESS_SAMPLER, version

MEASURED_BANDWIDTH = 3.35e12
"""Bytes a second of the H100 that `SORTED` and `SORTLESS` are of."""
SORTED = 0.42e-9
"""Seconds a logit of top-p or top-k sampling by sorting, as vLLM did up to 0.16.

From ML.ENERGY's load tests on H100, all models (benchmarks/accuracy/ml_energy.py leaves out the one that it
predicts). Of it masking by sort takes 0.21 ns in vllm-project/vllm 32234.
"""
SORTLESS = 0.03e-9
"""The same without a sort: 0.012 ns of masking (vllm-project/vllm 51507, top-p of 512 x 131,072 logits) and
five passes over float32 logits for softmax, noise, division and maximum."""
LIVE_BYTES = 28
"""Bytes a logit that vLLM's sampler holds at its peak, counted in apply_top_k_top_p_pytorch: the logits in
bfloat16 (2) and float32 (4), sorted (4) with their indices (8), both masks (2), their softmax (4) and the
result (4)."""
FLASHINFER_BYTES = 14
"""The same where FlashInfer samples (`Serving.flashinfer_sampler`), which sorts nothing: the logits in
bfloat16 (2) and float32 (4), their softmax (4), and that renormalised to top-k (4)."""


def logit_seconds(vllm_version: str) -> float:
    """``Serving.sampler`` where requests are sampled by top-p or top-k. Raises CalibrationError."""
    return SORTLESS if version(vllm_version) >= SORTLESS_SAMPLER else SORTED


def sampler_seconds(batch: int, serving: Serving, device: Device) -> float:
    """Seconds to sample ``batch`` tokens; each rank samples from all logits.

    It is assumed to scale with the bandwidth of memory.
    """
    return batch * serving.shape.vocabulary * serving.sampler * MEASURED_BANDWIDTH / device.bandwidth


def sampler_bytes(serving: Serving) -> int:
    """Bytes at the peak of the sampler in vLLM's memory profiling (GPUModelRunner._dummy_sampler_run)."""
    rows = min(serving.max_num_seqs, serving.max_num_batched_tokens)
    bytes_a_logit = FLASHINFER_BYTES if serving.flashinfer_sampler else LIVE_BYTES
    return bytes_a_logit * rows * serving.shape.vocabulary
