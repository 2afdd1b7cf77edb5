"""SchedulerOutput: what the scheduler decided for one step (vllm/v1/core/sched/output.py)."""

from __future__ import annotations

from dataclasses import dataclass, field

from simcore.llm.sequence import Sequence
from simcore.step import Step


@dataclass(slots=True, eq=False)
class SchedulerOutput:
    """One step's decisions. Every decoding sequence computes one token unless it is in ``held_back``."""

    step: Step = field(default_factory=Step)
    prefills: list[tuple[Sequence, int]] = field(default_factory=list)
    """Sequences that compute prompt tokens, and how many."""
    admitted: list[Sequence] = field(default_factory=list)
    preempted: list[Sequence] = field(default_factory=list)
    held_back: list[Sequence] = field(default_factory=list)
    """Decoding sequences for which budget or blocks did not reach."""
    first_tokens: list[Sequence] = field(default_factory=list)
    """Sequences that sample the first token of their answer."""
    finished: list[Sequence] = field(default_factory=list)
    """Sequences that sample their last token."""
