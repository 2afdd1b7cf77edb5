"""KVCacheManager: which blocks a sequence holds (vllm/v1/core/kv_cache_manager.py).

A sequence always holds just the blocks that its computed tokens need, so how many follows from those.
"""

from __future__ import annotations

from itertools import islice

from simcore.llm.block_pool import BlockPool, CachedBlock
from simcore.llm.config import SchedulerConfig
from simcore.llm.sequence import Sequence, Status


class KVCacheManager:
    """Allocates and frees the KV blocks of sequences that do not decode; decoding is counted in bulk."""

    def __init__(self, config: SchedulerConfig) -> None:
        self._block_size = config.block_size
        self._caching = config.enable_prefix_caching
        self._reserve_full = config.scheduler_reserve_full_isl
        self.pool = BlockPool(config.usable_blocks, enable_caching=config.enable_prefix_caching)

    def hits(self, seq: Sequence) -> tuple[list[CachedBlock], int]:
        """The cached blocks that a waiting sequence can take over: shared ones, and how many of its own.

        At least one token is left to compute, as in vLLM's get_computed_blocks.
        """
        if not self._caching:
            return [], 0
        limit = (seq.num_tokens - 1) // self._block_size
        shared = self.pool.lookup(islice(seq.prefix_keys, limit)) if seq.prefix_keys else []
        if seq.own_run is None or len(shared) < len(seq.prefix_keys):
            return shared, 0
        return shared, min(seq.own_run.count, limit - len(shared))

    def admit(
        self, seq: Sequence, shared: list[CachedBlock], own: int, new_tokens: int, watermark: int
    ) -> bool:
        """Give a waiting sequence its hits and the blocks of its first chunk, or False if they don't fit."""
        size, pool = self._block_size, self.pool
        hit = len(shared) + own
        computed = hit * size + new_tokens
        needed = fit = -(-computed // size) - hit
        if self._reserve_full:
            fit = max(needed, -(-seq.num_tokens // size) - hit)
        if hit:
            fit += own + sum(not block.ref_cnt for block in shared)
        if fit + watermark > pool.free:
            return False
        if hit:
            self._take_over(seq, shared, own)
        seq.own_run = None
        pool.allocate(needed)
        if self._caching:
            self._cache_shareable(seq, computed)
        return True

    def blocks_to_grow(self, computed: int, new_tokens: int) -> int:
        """Blocks that a running sequence needs for its next tokens."""
        size = self._block_size
        return -(-(computed + new_tokens) // size) - -(-computed // size)

    def grow(self, seq: Sequence, computed: int, new_tokens: int) -> bool:
        """Give a prefilling sequence the blocks of its next chunk, or False if they don't fit."""
        needed = self.blocks_to_grow(computed, new_tokens)
        if needed > self.pool.free:
            return False
        self.pool.allocate(needed)
        if self._caching:
            self._cache_shareable(seq, computed + new_tokens)
        return True

    def free(self, seq: Sequence, computed: int, hashed: int) -> None:
        """Take back all blocks of a sequence that has (nearly) computed and hashed so many tokens."""
        held = -(-computed // self._block_size)
        if not self._caching:
            self.pool.free += held
            return
        full = hashed // self._block_size
        shared = seq.shared_blocks
        reclaimable = seq.status is not Status.FINISHED
        seq.own_run = self.pool.release(held - full, full - len(shared), shared, reclaimable=reclaimable)
        seq.shared_blocks = ()

    def _take_over(self, seq: Sequence, shared: list[CachedBlock], own: int) -> None:
        self.pool.touch(shared)
        seq.shared_blocks = tuple(shared)
        if own and seq.own_run is not None:
            self.pool.reclaim(seq.own_run, own)

    def _cache_shareable(self, seq: Sequence, tokens: int) -> None:
        known = len(seq.shared_blocks)
        full = min(len(seq.prefix_keys), tokens // self._block_size)
        if known < full:
            seq.shared_blocks += tuple(self.pool.cache(seq.prefix_keys[known:full]))
