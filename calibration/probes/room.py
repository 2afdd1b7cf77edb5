"""Room: what an engine can hold at once, checked before it is asked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Room:
    """The engine's limits: KV blocks and the tokens of each, requests and tokens of a step, context."""

    block_size: int
    num_gpu_blocks: int
    max_num_seqs: int
    max_num_batched_tokens: int
    max_model_len: int

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Room:
        """From what an engine says of itself (`simcore.profile.llm.EngineFacts`)."""
        return cls(**{name: int(facts[name]) for name in cls.__dataclass_fields__})

    @property
    def tokens(self) -> int:
        """Tokens of KV cache."""
        return self.block_size * self.num_gpu_blocks

    def holds(self, lengths: Sequence[int], most: int | None = None) -> bool:
        """Whether requests that grow to so many tokens each can all run to their ends at once.

        ``most`` of them run at the same time, all if None. One block is the engine's own: vLLM never hands
        out its first.
        """
        blocks = sum(-(-tokens // self.block_size) for tokens in lengths)
        return (
            blocks < self.num_gpu_blocks
            and (len(lengths) if most is None else most) <= self.max_num_seqs
            and max(lengths, default=0) <= self.max_model_len
        )
