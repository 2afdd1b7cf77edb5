"""Serving: a model as vLLM serves it."""

from __future__ import annotations

from dataclasses import dataclass

from calibration.compose.shape import ModelShape
from calibration.compose.versions import ASYNC_SCHEDULING, version

MOST_CAPTURED = 512


@dataclass(frozen=True, slots=True)
class Heads:
    """The attention of one rank: query heads, KV heads, their size, and the KV cache's data type."""

    query: int
    kv: int
    size: int
    dtype: str

    @property
    def group(self) -> float:
        """Query heads that share a KV head."""
        return self.query / self.kv


@dataclass(frozen=True, slots=True)
class Serving:
    """Split over ``tp`` devices, with ``weights`` and ``kv`` cache in these data types; engine arguments.

    ``async_scheduling`` None is the version's default. ``sampler``: seconds a logit that sampling takes an
    H100 (`calibration.compose.sampler`), 0 where it is greedy. ``flashinfer_sampler``: whether FlashInfer
    samples by top-p and top-k, as vLLM 0.8 has it do where a FlashInfer before 0.2.3 is installed.
    """

    shape: ModelShape
    tp: int = 1
    weights: str = "bfloat16"
    kv: str = "bfloat16"
    max_num_seqs: int = 256
    max_num_batched_tokens: int = 8192
    max_model_len: int = 8192
    gpu_memory_utilization: float = 0.9
    vllm_version: str = "0.19.0"
    async_scheduling: bool | None = None
    sampler: float = 0.0
    flashinfer_sampler: bool = False

    @property
    def heads(self) -> Heads:
        """Attention of one rank."""
        shape = self.shape
        return Heads(shape.heads // self.tp, shape.kv_heads_on(self.tp), shape.head_dim, self.kv)

    @property
    def capture_sizes(self) -> tuple[int, ...]:
        """vLLM's default CUDA-graph batch sizes (VllmConfig._set_cudagraph_sizes, vLLM 0.14 and later)."""
        most = min(2 * self.max_num_seqs, MOST_CAPTURED, self.max_num_batched_tokens)
        return tuple(n for n in (1, 2, 4, *range(8, 256, 8), *range(256, MOST_CAPTURED + 1, 16)) if n <= most)

    @property
    def scheduled_ahead(self) -> bool:
        """Whether scheduling is asynchronous. Raises CalibrationError if ``vllm_version`` is none."""
        default = version(self.vllm_version) >= ASYNC_SCHEDULING
        return default if self.async_scheduling is None else self.async_scheduling
