"""Drives simcore's scheduler."""

from __future__ import annotations

from collections import deque

from simcore.llm.config import SchedulerConfig
from simcore.llm.scheduler import Scheduler
from simcore.llm.scheduler_output import SchedulerOutput
from simcore.llm.sequence import Sequence, Status
from simcore.step import Step
from tests.conformance.driver import Decision
from tests.conformance.workload import Load


class OurDriver:
    """`tests.conformance.driver.Driver` around `simcore.llm.scheduler.Scheduler`."""

    def __init__(self, config: SchedulerConfig) -> None:
        self.scheduler = Scheduler(config)
        self._sequences: dict[object, Sequence] = {}
        self._in_flight: deque[SchedulerOutput] = deque()

    @property
    def used_blocks(self) -> int:
        return self.scheduler.kv.pool.used

    @property
    def has_requests(self) -> bool:
        return self.scheduler.has_requests

    def add(self, load: Load) -> None:
        seq = Sequence(
            load.name, load.prompt_tokens, load.max_tokens, load.arrival, load.priority, load.prefix_keys
        )
        self._sequences[load.name] = seq
        self.scheduler.add_request(seq)

    def abort(self, name: int) -> None:
        if name in self._sequences:
            self.scheduler.abort(self._sequences.pop(name))

    def schedule(self, step: int) -> Decision:
        scheduler = self.scheduler
        contexts = {
            seq: scheduler.decoding.computed(seq) + 1
            for seq in scheduler.running
            if seq.status is Status.DECODING
        }
        output = scheduler.schedule()
        self._in_flight.append(output)
        for seq in (*output.preempted, *output.held_back):
            contexts.pop(seq, None)
        tokens = {seq.key: 1 for seq in contexts} | {seq.key: chunk for seq, chunk in output.prefills}
        scheduler.check_integrity()
        assert output.step == Step(
            decodes=len(contexts),
            decode_context=sum(contexts.values()),
            prefills=len(output.prefills),
            prefill_tokens=sum(chunk for _, chunk in output.prefills),
            prefill_attention=sum(
                chunk * (s.num_computed_tokens - chunk / 2) for s, chunk in output.prefills
            ),
        )
        return Decision(
            step=step,
            tokens=tokens,
            preempted=[seq.key for seq in output.preempted],
            cache_hits={seq.key: seq.num_cached_tokens for seq in output.admitted if not seq.num_preemptions},
            used_blocks=self.used_blocks,
        )

    def update(self) -> list[int]:
        output = self._in_flight.popleft()
        self.scheduler.update_from_output(output)
        return [seq.key for seq in output.finished if self._sequences.pop(seq.key, None)]
