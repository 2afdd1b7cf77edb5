"""Keys of the KV blocks that prompts share."""

from __future__ import annotations

from collections.abc import Sequence

from simcore.workload.randomness import stable_hash
from simcore.workload.traces import HASH_BLOCK

_BLOCKS = 1 << 20
"""More blocks than a prompt has."""
_GROUPS = 1 << 44
"""More than groups x blocks, or hash ids x blocks."""


class PrefixKeys:
    """Block keys for the requests of one stream or stage.

    A key is a number made of the owner's name, the group (or hash id) and the block's position, so equal
    keys mean equal tokens up to the block's end, and the keys of two owners never meet.
    """

    def __init__(self, owner: str, block_size: int) -> None:
        self._first = stable_hash(owner) * _GROUPS
        self._block_size = block_size
        self._of_group: dict[tuple[int, int], tuple[int, ...]] = {}

    def of_group(self, group: int, tokens: int) -> tuple[int, ...]:
        """Keys of the whole blocks in the first ``tokens`` tokens of a group's prefix."""
        blocks = tokens // self._block_size
        keys = self._of_group.get((group, blocks))
        if keys is None:
            first = self._first + group * _BLOCKS
            keys = self._of_group[group, blocks] = tuple(range(first, first + blocks))
        return keys

    def of_hashes(self, hash_ids: Sequence[int], tokens: int) -> tuple[int, ...]:
        """Keys of the whole blocks of a prompt of ``tokens`` tokens, from Mooncake's hash ids.

        A hash id names all tokens up to its end. So the id that holds a block's last token, with the
        block's position, tells what stands in and before the block, whatever the block size is.
        """
        size, first = self._block_size, self._first
        blocks = min(tokens, len(hash_ids) * HASH_BLOCK) // size
        return tuple(
            first + hash_ids[((i + 1) * size - 1) // HASH_BLOCK] * _BLOCKS + i for i in range(blocks)
        )
