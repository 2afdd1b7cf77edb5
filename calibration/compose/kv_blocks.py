"""kv_blocks: how many KV blocks vLLM finds room for."""

from __future__ import annotations

from calibration.compose.facts import GIB, Device
from calibration.compose.sampler import sampler_bytes
from calibration.compose.serving import Serving
from calibration.compose.versions import CONTEXT_IN_MEMORY, GRAPHS_IN_MEMORY, version
from calibration.errors import CalibrationError

BLOCK_SIZE = 16
OUTSIDE_TORCH = 0.2 * GIB
"""Buffers of cuBLAS and other libraries on each device, which vLLM finds beside torch's. An allowance, as are
the next three: with them the known counts of blocks that tests/unit/test_compose_memory.py lists come out
within 4%."""
CONTEXT = 0.5 * GIB
"""The CUDA context, where it is counted."""
NCCL = 0.4 * GIB
"""The same of NCCL and the all-reduce on each of several devices."""
GRAPHS = 0.2 * GIB
"""CUDA graphs as vLLM estimates them; its logs say 0.26 and 0.36 GiB of other models."""


def kv_blocks(device: Device, serving: Serving) -> int:
    """``num_gpu_blocks`` at `BLOCK_SIZE` tokens a block.

    ::

        (memory * gpu_memory_utilization - weights - peak of the profile run - outside torch - graphs)
        // bytes of a block

    as vLLM's gpu_worker.determine_available_memory and kv_cache_utils.get_num_blocks. The profile run
    computes ``max_num_batched_tokens`` tokens and then samples ``max_num_seqs``: its peak is the larger of
    `activation_bytes` and `sampler_bytes`. Raises CalibrationError if nothing is left.
    """
    shape, tp = serving.shape, serving.tp
    left = kv_memory(device, serving)
    blocks = int(left // (BLOCK_SIZE * shape.kv_bytes_per_token(serving.kv, tp)))
    if blocks < 1:
        raise CalibrationError(
            f"{shape.name} in {serving.weights} leaves no room for a KV cache on {tp} x {device.name}: "
            f"{shape.weight_bytes(serving.weights, tp) / GIB:.1f} GiB of weights on each"
        )
    return blocks


def kv_memory(device: Device, serving: Serving) -> float:
    """Bytes that are left for the KV cache on each device; negative if there are none."""
    weights = serving.shape.weight_bytes(serving.weights, serving.tp)
    peak = max(activation_bytes(serving), sampler_bytes(serving))
    vllm = version(serving.vllm_version)
    context = CONTEXT if vllm <= CONTEXT_IN_MEMORY else 0.0
    graphs = GRAPHS if vllm >= GRAPHS_IN_MEMORY else 0.0
    outside = OUTSIDE_TORCH + context + graphs + (NCCL if serving.tp > 1 else 0.0)
    return device.memory * serving.gpu_memory_utilization - weights - peak - outside


def activation_bytes(serving: Serving) -> int:
    """The peak of the gated MLP: input and residual, the fused gate and up projection, and their product."""
    width = 2 * serving.shape.hidden + 3 * serving.shape.intermediate // serving.tp
    return 2 * serving.max_num_batched_tokens * width
