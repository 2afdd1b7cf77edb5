"""SchedulerConfig: vLLM's engine arguments, as far as they decide what a step contains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """Names and meanings are vLLM's (vllm/config/scheduler.py, cache.py).

    ``num_gpu_blocks`` counts the null block that vLLM keeps for itself, so one block less holds KV.
    """

    max_num_batched_tokens: int
    max_num_seqs: int
    max_model_len: int
    num_gpu_blocks: int
    block_size: int = 16
    enable_chunked_prefill: bool = True
    enable_prefix_caching: bool = False
    long_prefill_token_threshold: int = 0
    policy: Literal["fcfs", "priority"] = "fcfs"
    watermark: float = 0.0
    scheduler_reserve_full_isl: bool = True
    async_scheduling: bool = False

    @property
    def usable_blocks(self) -> int:
        """Blocks that can hold KV."""
        return self.num_gpu_blocks - 1

    @property
    def watermark_blocks(self) -> int:
        """Blocks that admissions leave free (vllm/v1/core/kv_cache_manager.py)."""
        return int(self.watermark * self.num_gpu_blocks)

    def fits(self, prompt_tokens: int, output_tokens: int) -> bool:
        """Whether a request of that size can ever run to its end."""
        total = prompt_tokens + output_tokens
        within_budget = self.enable_chunked_prefill or total <= self.max_num_batched_tokens
        return within_budget and total <= self.max_model_len and self.blocks_for(total) <= self.usable_blocks

    def blocks_for(self, tokens: int) -> int:
        """Blocks that hold the KV of that many tokens."""
        return -(-tokens // self.block_size)
