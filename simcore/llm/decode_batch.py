"""DecodeBatch: all decoding sequences, advanced together in O(1) a step.

Every decoding sequence computes one token a step, so nothing has to be touched per sequence: a counter
of steps, their number and the sum of their offsets from the counter give the batch and its context; a
count per residue modulo the block size gives the KV blocks due in a step; and a calendar by last step
gives those that finish. A sequence is touched when it enters, leaves, or misses a step.
"""

from __future__ import annotations

from heapq import heappop, heappush

from simcore.llm.sequence import Sequence, Status


class DecodeBatch:
    """The decoding sequences of one replica; ``step`` counts the steps scheduled so far."""

    def __init__(self, block_size: int) -> None:
        self.step = 0
        self.size = 0
        self._base_sum = 0
        self._block_size = block_size
        self._due = [0] * block_size
        self._calendar: dict[int, list[Sequence]] = {}
        self._last_steps: list[int] = []

    @property
    def context(self) -> int:
        """Cached tokens that the coming step reads, each sequence's own new token included."""
        return self._base_sum + self.size * (self.step + 1)

    @property
    def blocks_due(self) -> int:
        """KV blocks that the coming step needs."""
        return self._due[self.step % self._block_size]

    def computed(self, seq: Sequence) -> int:
        """Tokens that a decoding sequence has computed."""
        return seq.decode_base + self.step

    def enter(self, seq: Sequence) -> None:
        """Let a sequence that has sampled its first token since (re)prefill decode from the next step on."""
        step = self.step
        seq.status = Status.DECODING
        seq.idle_step = float(step - 2)
        self.size += 1
        last_step = step + seq.max_tokens - seq.num_output_tokens - 1
        self._place(seq, seq.num_computed_tokens - step, last_step)

    def leave(self, seq: Sequence, status: Status) -> None:
        """Take a sequence out and write down how far it came."""
        computed = seq.num_computed_tokens = seq.decode_base + self.step
        seq.num_output_tokens = computed + 1 - seq.prompt_tokens
        seq.status = status
        self.size -= 1
        self._displace(seq)

    def hold_back(self, seq: Sequence) -> None:
        """Let a sequence miss the coming step."""
        seq.idle_step = float(self.step)
        self._displace(seq)
        self._place(seq, seq.decode_base - 1, seq.last_step + 1)

    def advance(self) -> list[Sequence]:
        """Pass one step and take out the sequences that sampled their last token in it."""
        last = self._calendar.pop(self.step, None)
        self.step += 1
        if last is None:
            return []
        done = [seq for seq in last if seq.status is Status.DECODING and seq.last_step == self.step - 1]
        for seq in done:
            self.leave(seq, Status.FINISHED)
            seq.num_output_tokens = seq.max_tokens
        return done

    def jump(self, steps: int) -> None:
        """Pass several steps in none of which a sequence finishes."""
        self.step += steps

    def steps_before_next_finish(self) -> int:
        """Steps ahead in which no sequence samples its last token; the batch must not be empty."""
        while True:
            step = self._last_steps[0]
            for seq in self._calendar.get(step, ()):
                if seq.last_step == step and seq.status is Status.DECODING:
                    return step - self.step
            heappop(self._last_steps)
            self._calendar.pop(step, None)

    def steps_within(self, blocks: int) -> int:
        """Steps ahead that so many free KV blocks are enough for."""
        cycles, left = divmod(blocks, self.size)
        steps = 0
        while self._due[(self.step + steps) % self._block_size] <= left:
            left -= self._due[(self.step + steps) % self._block_size]
            steps += 1
        return cycles * self._block_size + steps

    def blocks_due_over(self, steps: int) -> int:
        """KV blocks that the next ``steps`` steps need in all."""
        cycles, rest = divmod(steps, self._block_size)
        start = self.step % self._block_size
        end = start + rest
        wrapped = max(0, end - self._block_size)
        return cycles * self.size + sum(self._due[start:end]) + sum(self._due[:wrapped])

    def _place(self, seq: Sequence, base: int, last_step: int) -> None:
        seq.decode_base = base
        seq.last_step = last_step
        self._base_sum += base
        self._due[-base % self._block_size] += 1
        bucket = self._calendar.get(last_step)
        if bucket is None:
            self._calendar[last_step] = [seq]
            heappush(self._last_steps, last_step)
        else:
            bucket.append(seq)

    def _displace(self, seq: Sequence) -> None:
        self._base_sum -= seq.decode_base
        self._due[-seq.decode_base % self._block_size] -= 1
