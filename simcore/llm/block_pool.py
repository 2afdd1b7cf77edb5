"""BlockPool: KV blocks, free, held or cached (vllm/v1/core/block_pool.py).

A block needs an identity only if another request could hit it. All others are counted: blocks without
a hash, which vLLM puts in front of its free queue to be reused first, as one number; and the private
blocks of a finished request, which carry a hash that nobody asks for, as one run in the queue. So a
request costs O(its shareable blocks), not O(its blocks), and eviction still takes blocks in vLLM's order.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class CachedBlock:
    """A full block that holds the prefix named ``key`` and is used by ``ref_cnt`` sequences."""

    key: int
    ref_cnt: int = 1


@dataclass(slots=True, eq=False)
class Run:
    """``count`` private full blocks, freed one after the other; the last of them is evicted first."""

    count: int


class BlockPool:
    """All blocks of a replica; ``size`` is without vLLM's null block."""

    def __init__(self, size: int, *, enable_caching: bool) -> None:
        self.size = size
        self.free = size
        """Blocks that can be allocated, cached ones included."""
        self.enable_caching = enable_caching
        self._unhashed = size
        self._lru: OrderedDict[CachedBlock | Run, None] = OrderedDict()
        self._cached: dict[int, dict[CachedBlock, None]] = {}
        self._open: Run | None = None
        """The last entry of the queue if it is a run that nobody will reclaim."""

    @property
    def used(self) -> int:
        """Blocks held by sequences."""
        return self.size - self.free

    def allocate(self, count: int) -> None:
        """Take ``count`` blocks from the front of the free queue; the caller has checked ``free``."""
        self.free -= count
        if not self.enable_caching:
            return
        unhashed = min(count, self._unhashed)
        self._unhashed -= unhashed
        count -= unhashed
        while count:
            count -= self._evict(count)

    def release(
        self, tail: int, private: int, shared: Iterable[CachedBlock], *, reclaimable: bool
    ) -> Run | None:
        """Take back a sequence's blocks: ``tail`` without a hash, ``private`` full ones, ``shared`` ones.

        Only with caching; without it a block is a number in ``free``. Returns the run that the private blocks
        now form in the queue, if the sequence may reclaim it.
        """
        self.free += tail + private
        self._unhashed += tail
        run = self._queue(private, reclaimable) if private else None
        for block in reversed(list(shared)):
            block.ref_cnt -= 1
            if not block.ref_cnt:
                self.free += 1
                self._lru[block] = None
                self._open = None
        return run

    def lookup(self, keys: Iterable[int]) -> list[CachedBlock]:
        """The longest run of cached blocks from the start of ``keys``."""
        hits = []
        for key in keys:
            copies = self._cached.get(key)
            if not copies:
                break
            hits.append(next(iter(copies)))
        return hits

    def touch(self, blocks: Iterable[CachedBlock]) -> None:
        """Hold blocks that were hit; those that were free are taken out of the queue."""
        for block in blocks:
            if not block.ref_cnt:
                del self._lru[block]
                self.free -= 1
            block.ref_cnt += 1

    def reclaim(self, run: Run, count: int) -> None:
        """Hold the first ``count`` blocks of ``run`` again."""
        run.count -= count
        self.free -= count
        if not run.count:
            del self._lru[run]

    def cache(self, keys: Iterable[int]) -> list[CachedBlock]:
        """Give blocks that were just allocated the hashes ``keys``."""
        blocks = [CachedBlock(key) for key in keys]
        for block in blocks:
            self._cached.setdefault(block.key, {})[block] = None
        return blocks

    def check_integrity(self) -> None:
        """Raise AssertionError unless the counts agree."""
        assert 0 <= self.free <= self.size
        if self.enable_caching:
            queued = sum(entry.count if isinstance(entry, Run) else 1 for entry in self._lru)
            assert self.free == self._unhashed + queued

    def _queue(self, private: int, reclaimable: bool) -> Run | None:
        if self._open is not None and not reclaimable:
            self._open.count += private
            return None
        run = Run(private)
        self._lru[run] = None
        self._open = None if reclaimable else run
        return run if reclaimable else None

    def _evict(self, count: int) -> int:
        entry = next(iter(self._lru))
        if isinstance(entry, Run):
            taken = min(count, entry.count)
            entry.count -= taken
            if not entry.count:
                del self._lru[entry]
                if entry is self._open:
                    self._open = None
            return taken
        del self._lru[entry]
        copies = self._cached[entry.key]
        del copies[entry]
        if not copies:
            del self._cached[entry.key]
        return 1
