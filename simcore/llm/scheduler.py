"""Scheduler: which requests run in the next step, as vLLM V1 decides it.

A reading aid: `schedule` and `update_from_output` are those of vllm/v1/core/sched/scheduler.py (0.32).
vLLM walks over all running requests in every step; here the decoding ones are moved as one
(`DecodeBatch`), and `simcore.llm.contention` walks only when tokens or blocks do not reach for all.
"""

from __future__ import annotations

from math import inf

from simcore.llm.config import SchedulerConfig
from simcore.llm.contention import schedule_running_under_contention
from simcore.llm.decode_batch import DecodeBatch
from simcore.llm.kv_cache_manager import KVCacheManager
from simcore.llm.scheduler_output import SchedulerOutput
from simcore.llm.sequence import Sequence, Status
from simcore.llm.waiting import make_waiting_queue


class Scheduler:
    """The scheduler of one replica: pure state, no clock."""

    def __init__(self, config: SchedulerConfig) -> None:
        self.config = config
        self.kv = KVCacheManager(config)
        self.waiting = make_waiting_queue(config.policy)
        self.running: dict[Sequence, None] = {}
        """In order of admission, finished ones until their last step is reported."""
        self.prefilling: dict[Sequence, None] = {}
        self.decoding = DecodeBatch(config.block_size)
        self._watermark = config.watermark_blocks
        self._admissions = 0
        self._settled = False

    @property
    def has_requests(self) -> bool:
        """Whether anything waits or runs."""
        return bool(self.running or self.waiting)

    def add_request(self, seq: Sequence) -> None:
        """Let a new sequence wait. It must fit the engine: see `SchedulerConfig.fits`."""
        self.waiting.add(seq)
        self._settled = False

    def abort(self, seq: Sequence) -> None:
        """Take a sequence out wherever it is; its blocks are free at once."""
        if seq.status is Status.WAITING:
            self.waiting.remove(seq)
        elif seq in self.running:
            self._stop_running(seq)
            self.kv.free(seq, seq.num_computed_tokens, self._hashed_tokens(seq))
        seq.status = Status.FINISHED
        self._settled = False

    def schedule(self) -> SchedulerOutput:
        """Decide the next step and advance everything in it; nothing is sampled before the update."""
        output = SchedulerOutput()
        budget = self._schedule_running(output)
        if self.waiting and not output.preempted:
            self._admit(output, budget)
        self._advance(output)
        return output

    def update_from_output(self, output: SchedulerOutput) -> None:
        """Free what the step finished."""
        if not output.finished:
            return
        if len(output.finished) > 1:
            output.finished.sort(key=lambda seq: seq.admission)
        for seq in output.finished:
            if self.running.pop(seq, seq) is None:
                self.kv.free(seq, seq.num_computed_tokens, seq.num_computed_tokens)
        self._settled = False

    def uneventful_steps(self) -> int:
        """Steps ahead that only decode: nobody is admitted, finishes, or lacks a block."""
        decoding = self.decoding
        if not decoding.size or len(self.running) > decoding.size:
            return 0
        if self.waiting and not self._nobody_can_be_admitted:
            return 0
        steps = decoding.steps_before_next_finish()
        free = self.kv.pool.free
        if (steps // self.config.block_size + 1) * decoding.size > free:
            return min(steps, decoding.steps_within(free))
        return steps

    def jump(self, steps: int) -> None:
        """Pass so many uneventful steps at once."""
        self.kv.pool.allocate(self.decoding.blocks_due_over(steps))
        self.decoding.jump(steps)

    def preempt(self, seq: Sequence, scheduled_tokens: int, output: SchedulerOutput) -> None:
        """Send a running sequence back to wait; all it computed is computed again.

        ``scheduled_tokens`` were already given to it in the step being decided.
        """
        finished = seq.status is Status.FINISHED
        self._stop_running(seq)
        computed = seq.num_computed_tokens + scheduled_tokens
        self.kv.free(seq, computed, self._hashed_tokens(seq, scheduled_tokens))
        output.preempted.append(seq)
        if not finished:
            seq.num_computed_tokens = 0
            seq.num_preemptions += 1
            seq.status = Status.WAITING
            self.waiting.prepend(seq)
        self._settled = False

    def prefill_limit(self) -> int:
        """Prompt tokens that one sequence may compute in a step, beside the budget."""
        threshold = self.config.long_prefill_token_threshold
        if not threshold or len(self.running) + len(self.waiting) <= 1:
            return self.config.max_model_len
        return threshold

    def check_integrity(self) -> None:
        """Raise AssertionError unless blocks and counters agree with the sequences."""
        self.kv.pool.check_integrity()
        decoding = [seq for seq in self.running if seq.status is Status.DECODING]
        assert len(decoding) == self.decoding.size
        assert sum(map(self.decoding.computed, decoding)) + len(decoding) == self.decoding.context
        assert len(self.running) <= self.config.max_num_seqs
        if not self.running:
            assert self.kv.pool.used == 0

    @property
    def _nobody_can_be_admitted(self) -> bool:
        # Where only the first chunk must fit, losing cached blocks shortens it, so that it may fit later.
        chunk_may_shrink = self.config.enable_prefix_caching and not self.config.scheduler_reserve_full_isl
        return self._settled and not chunk_may_shrink

    def _schedule_running(self, output: SchedulerOutput) -> int:
        decoding = self.decoding
        decodes = decoding.size
        budget = self.config.max_num_batched_tokens - decodes
        due = decoding.blocks_due
        chunks, growth = self._plan_chunks(budget) if self.prefilling else ([], 0)
        if budget < 0 or chunks is None or due + growth > self.kv.pool.free:
            return schedule_running_under_contention(self, output)
        if due:
            self.kv.pool.allocate(due)
        for seq, chunk in chunks:
            self.kv.grow(seq, seq.num_computed_tokens, chunk)
            self._add_prefill(output, seq, chunk)
            budget -= chunk
        if decodes:
            output.step.decodes = decodes
            output.step.decode_context = decoding.context
        return budget

    def _plan_chunks(self, budget: int) -> tuple[list[tuple[Sequence, int]] | None, int]:
        """Next chunk of every prefilling sequence and the blocks for them, or None if order matters."""
        chunks = []
        blocks = 0
        limit = self.prefill_limit()
        for seq in self.prefilling:
            chunk = min(seq.num_tokens - seq.num_computed_tokens, limit)
            if chunk > budget:
                if seq is not next(reversed(self.running)):
                    return None, blocks
                chunk = budget
            if chunk > 0:
                chunks.append((seq, chunk))
                blocks += self.kv.blocks_to_grow(seq.num_computed_tokens, chunk)
                budget -= chunk
        return chunks, blocks

    def _admit(self, output: SchedulerOutput, budget: int) -> None:
        waiting, config = self.waiting, self.config
        while waiting and budget > 0 and len(self.running) < config.max_num_seqs:
            seq = waiting.peek()
            shared, own = self.kv.hits(seq)
            cached = (len(shared) + own) * config.block_size
            chunk = min(seq.num_tokens - cached, self.prefill_limit())
            if chunk > budget:
                if not config.enable_chunked_prefill:
                    break
                chunk = budget
            watermark = self._watermark if self.running else 0
            if not self.kv.admit(seq, shared, own, chunk, watermark):
                break
            self._start_running(waiting.pop(), cached)
            output.admitted.append(seq)
            self._add_prefill(output, seq, chunk)
            budget -= chunk
        self._settled = not (output.admitted or output.prefills)

    def _start_running(self, seq: Sequence, cached: int) -> None:
        seq.status = Status.PREFILLING
        seq.num_computed_tokens = cached
        seq.idle_step = inf
        if not seq.num_preemptions:
            seq.num_cached_tokens = cached
        seq.admission = self._admissions
        self._admissions += 1
        self.running[seq] = None
        self.prefilling[seq] = None

    def _stop_running(self, seq: Sequence) -> None:
        del self.running[seq]
        if seq.status is Status.PREFILLING:
            del self.prefilling[seq]
        elif seq.status is Status.DECODING:
            self.decoding.leave(seq, Status.WAITING)

    def _hashed_tokens(self, seq: Sequence, scheduled_tokens: int = 0) -> int:
        """Tokens of a sequence that have entered block hashes.

        With async scheduling a token is computed before its value is known, so a sequence that sampled
        in both of its last steps has one without a hash.
        """
        last = self.decoding.step if scheduled_tokens else self.decoding.step - 1
        unknown = self.config.async_scheduling and last - seq.idle_step > 1
        return seq.num_computed_tokens + scheduled_tokens - unknown

    @staticmethod
    def _add_prefill(output: SchedulerOutput, seq: Sequence, chunk: int) -> None:
        output.prefills.append((seq, chunk))
        step = output.step
        step.prefills += 1
        step.prefill_tokens += chunk
        step.prefill_attention += chunk * (seq.num_computed_tokens + 0.5 * chunk)

    def _advance(self, output: SchedulerOutput) -> None:
        output.finished = self.decoding.advance()
        for seq, chunk in output.prefills:
            seq.num_computed_tokens += chunk
            if seq.num_computed_tokens == seq.num_tokens:
                self._sample_after_prefill(seq, output)

    def _sample_after_prefill(self, seq: Sequence, output: SchedulerOutput) -> None:
        del self.prefilling[seq]
        if not seq.num_output_tokens:
            output.first_tokens.append(seq)
        seq.num_output_tokens += 1
        if seq.num_output_tokens == seq.max_tokens:
            seq.status = Status.FINISHED
            output.finished.append(seq)
        else:
            self.decoding.enter(seq)
