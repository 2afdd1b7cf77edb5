"""kv_blocks: how many KV blocks vLLM finds room for."""

from __future__ import annotations

from calibration.compose.facts import GIB, Device
from calibration.compose.serving import Serving
from calibration.errors import CalibrationError

BLOCK_SIZE = 16
OUTSIDE_TORCH = 1.0 * GIB
"""CUDA context, NCCL and kernels' own buffers on each device: an allowance, not read from a device."""


def kv_blocks(device: Device, serving: Serving) -> int:
    """``num_gpu_blocks`` at `BLOCK_SIZE` tokens a block.

    ::

        (memory * gpu_memory_utilization - weights - activations - outside torch) // bytes of a block

    as vLLM's gpu_worker.determine_available_memory and kv_cache_utils.get_num_blocks. vLLM measures the
    activations' peak in a profile run; here it is that of the gated MLP: its input and residual, the fused
    gate and up projection and their product, in bfloat16. Raises CalibrationError if nothing is left.
    """
    shape, tp = serving.shape, serving.tp
    weights = shape.weight_bytes(serving.weights, tp)
    width = 2 * shape.hidden + 3 * shape.intermediate // tp
    activations = 2 * serving.max_num_batched_tokens * width
    left = device.memory * serving.gpu_memory_utilization - weights - activations - OUTSIDE_TORCH
    blocks = int(left // (BLOCK_SIZE * shape.kv_bytes_per_token(serving.kv, tp)))
    if blocks < 1:
        raise CalibrationError(
            f"{shape.name} in {serving.weights} leaves no room for a KV cache on {tp} x {device.name}: "
            f"{weights / GIB:.1f} GiB of weights on each"
        )
    return blocks
