"""The walk over running sequences when tokens or KV blocks do not reach for all of them.

This is the first half of vLLM's `Scheduler.schedule`, request by request, with its preemption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simcore.llm.scheduler_output import SchedulerOutput
from simcore.llm.sequence import Sequence, Status

if TYPE_CHECKING:
    from simcore.llm.scheduler import Scheduler


def schedule_running_under_contention(scheduler: Scheduler, output: SchedulerOutput) -> int:
    """Give running sequences tokens in order of admission until none are left; returns the budget left."""
    budget = scheduler.config.max_num_batched_tokens
    limit = scheduler.prefill_limit()
    queue = list(scheduler.running)
    scheduled: dict[Sequence, int] = {}
    index = 0
    while index < len(queue) and budget > 0:
        seq = queue[index]
        if seq.status is Status.FINISHED:
            index += 1
            continue
        tokens = min(_wanted(seq), limit, budget)
        while not _grow(scheduler, seq, tokens):
            victim = _victim(scheduler, queue)
            position = queue.index(victim)
            del queue[position]
            index -= position < index
            given_back = scheduled.pop(victim, 0)
            budget += given_back
            scheduler.preempt(victim, given_back, output)
            if victim is seq:
                _write_down(scheduler, scheduled, output)
                return budget
        scheduled[seq] = tokens
        budget -= tokens
        index += 1
    _write_down(scheduler, scheduled, output)
    return budget


def _wanted(seq: Sequence) -> int:
    return 1 if seq.status is Status.DECODING else seq.num_tokens - seq.num_computed_tokens


def _grow(scheduler: Scheduler, seq: Sequence, tokens: int) -> bool:
    if seq.status is not Status.DECODING:
        return scheduler.kv.grow(seq, seq.num_computed_tokens, tokens)
    return scheduler.kv.grow(seq, scheduler.decoding.computed(seq), 1)


def _victim(scheduler: Scheduler, queue: list[Sequence]) -> Sequence:
    if scheduler.config.policy == "priority":
        return max(queue, key=Sequence.urgency)
    return queue[-1]


def _write_down(scheduler: Scheduler, scheduled: dict[Sequence, int], output: SchedulerOutput) -> None:
    for seq, tokens in scheduled.items():
        if seq.status is Status.DECODING:
            output.step.decodes += 1
            output.step.decode_context += scheduler.decoding.computed(seq) + 1
        else:
            scheduler._add_prefill(output, seq, tokens)
    for seq in scheduler.running:
        if seq.status is Status.DECODING and seq not in scheduled:
            scheduler.decoding.hold_back(seq)
            output.held_back.append(seq)
