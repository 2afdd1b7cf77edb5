"""Sequence: a request inside the engine (vllm/v1/request.py)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Any

from simcore.llm.block_pool import CachedBlock, Run


class Status(Enum):
    """Where a sequence is; vLLM calls the two middle ones RUNNING."""

    WAITING = 0
    PREFILLING = 1
    DECODING = 2
    FINISHED = 3


@dataclass(slots=True, eq=False)
class Sequence:
    """One request of an engine. ``key`` is what the owner finds it by; lower ``priority`` is more urgent.

    While a sequence decodes it advances with all others, one token a step, so its state is kept relative
    to the scheduler's step counter: it has computed ``decode_base + counter`` tokens and samples its last
    one in step ``last_step``. In all other states ``num_computed_tokens`` is the figure itself.
    """

    key: Any
    prompt_tokens: int
    max_tokens: int
    arrival: float
    priority: int = 0
    prefix_keys: tuple[int, ...] = ()

    status: Status = field(default=Status.WAITING, init=False)
    num_output_tokens: int = field(default=0, init=False)
    num_computed_tokens: int = field(default=0, init=False)
    admission: int = field(default=-1, init=False)
    """Counts admissions of the replica: its place among the running sequences."""
    ticket: int = field(default=-1, init=False)
    """Breaks ties in a priority queue, whenever it waits there."""
    shared_blocks: tuple[CachedBlock, ...] = field(default=(), init=False)
    """The leading blocks held, as far as others may share them."""
    own_run: Run | None = field(default=None, init=False)
    """The private full blocks given back when it was preempted, still cached as far as not evicted."""
    decode_base: int = field(default=0, init=False)
    last_step: int = field(default=-1, init=False)
    idle_step: float = field(default=inf, init=False)
    """The last step in which it did not decode though it might have."""
    num_cached_tokens: int = field(default=0, init=False)
    """Prefix-cache hit of its first scheduling."""
    num_preemptions: int = field(default=0, init=False)
    lost_before: float = field(default=0.0, init=False)
    """Seconds that its engine had lost to others of the device when it was first scheduled."""

    @property
    def num_tokens(self) -> int:
        """Prompt and sampled tokens; what has to be computed before the next one can be sampled."""
        return self.prompt_tokens + self.num_output_tokens

    def urgency(self) -> tuple[int, float]:
        """What vLLM's priority policy orders by, smallest first."""
        return (self.priority, self.arrival)
