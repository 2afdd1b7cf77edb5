"""SchedulerOutput: what the scheduler decided for one step (vllm/v1/core/sched/output.py)."""

from __future__ import annotations

from simcore.llm.sequence import Sequence
from simcore.step import Step


class SchedulerOutput:
    """One step's decisions. Every decoding sequence computes one token unless it is in ``held_back``.

    ``prefills`` are the sequences that compute prompt tokens, and how many; ``held_back`` the decoding ones
    for which budget or blocks did not reach; ``first_tokens`` those that sample the first token of their
    answer, ``finished`` those that sample their last.
    """

    __slots__ = ("admitted", "finished", "first_tokens", "held_back", "preempted", "prefills", "step")

    def __init__(self) -> None:
        self.step = Step()
        self.prefills: list[tuple[Sequence, int]] = []
        self.admitted: list[Sequence] = []
        self.preempted: list[Sequence] = []
        self.held_back: list[Sequence] = []
        self.first_tokens: list[Sequence] = []
        self.finished: list[Sequence] = []

    @staticmethod
    def of_decodes(decodes: int, context: int) -> SchedulerOutput:
        """A step in which so many requests decode and nothing else is done, reading ``context`` tokens."""
        output = SchedulerOutput()
        output.step.decodes = decodes
        output.step.decode_context = context
        return output

    def decodes_alone(self, decodes: int) -> bool:
        """Whether so many requests decode in the step, and no prompt is computed."""
        return self.step.decodes == decodes and not self.step.prefills
