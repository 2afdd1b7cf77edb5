"""What holds in every batching queue, whatever comes, is given up, and however long batches take."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from simcore.batch_queue import BatchingWindow, BatchQueue


@dataclass(frozen=True, eq=False)
class Job:
    texts: int
    tokens: int
    arrival: float


def ticks(low: int, high: int) -> st.SearchStrategy[float]:
    """Multiples of 1/8 second, of which sums are exact."""
    return st.integers(low, high).map(lambda eighths: eighths / 8)


class Server(RuleBasedStateMachine):
    """An embedding server that asks its queue when it should, and a list of what has to be waiting."""

    @initialize(
        max_batch=st.integers(1, 6), max_tokens=st.integers(1, 10), wait=ticks(0, 8), serial=st.booleans()
    )
    def start(self, max_batch: int, max_tokens: int, wait: float, serial: bool) -> None:
        self.window = BatchingWindow(max_batch, max_tokens, wait, serial)
        self.queue: BatchQueue[Job] = BatchQueue(self.window)
        self.now = 0.0
        self.busy = False
        self.waiting: list[Job] = []
        self.gone: list[Job] = []

    @rule(texts=st.integers(1, 4), tokens=st.integers(1, 4))
    def arrive(self, texts: int, tokens: int) -> None:
        job = Job(texts, tokens, self.now)
        self.waiting.append(job)
        self.queue.add(job, texts, tokens, self.now)
        self.ask()

    @rule(data=st.data())
    @precondition(lambda self: self.waiting)
    def give_up(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(job)
        self.gone.append(job)
        assert self.queue.remove(job)

    @rule(later=ticks(1, 12))
    def go_on(self, later: float) -> None:
        wake_at = self.queue.wake_at()
        self.now = self.now + later if wake_at is None else min(self.now + later, wake_at)
        self.ask()

    @rule()
    @precondition(lambda self: self.busy)
    def finish(self) -> None:
        self.busy = False
        self.queue.finish()
        self.ask()

    def ask(self) -> None:
        """In order, one at a time, as large as the window allows; a job too large for any goes alone."""
        full = self.full()
        batch = self.queue.next_batch(self.now)
        if not batch:
            return
        assert not self.busy
        assert full or batch[0].arrival + self.window.max_wait <= self.now
        assert batch == self.waiting[: len(batch)]
        assert len(batch) == 1 or self.fits(batch)
        self.waiting = self.waiting[len(batch) :]
        assert not self.waiting or not self.fits([*batch, self.waiting[0]])
        self.gone += batch
        self.busy = True

    def fits(self, batch: list[Job]) -> bool:
        texts, tokens = sum(job.texts for job in batch), sum(job.tokens for job in batch)
        return not self.window.serial and texts <= self.window.max_batch and tokens <= self.window.max_tokens

    def full(self) -> bool:
        texts, tokens = sum(job.texts for job in self.waiting), sum(job.tokens for job in self.waiting)
        return self.window.serial or texts >= self.window.max_batch or tokens >= self.window.max_tokens

    @invariant()
    def an_idle_server_keeps_nothing_waiting_for_too_long(self) -> None:
        wake_at = self.queue.wake_at()
        if self.busy or not self.waiting:
            assert wake_at is None
        else:
            assert not self.full()
            assert self.now < self.waiting[0].arrival + self.window.max_wait == wake_at

    @invariant()
    def what_is_gone_does_not_wait(self) -> None:
        assert not any(self.queue.remove(job) for job in self.gone)


TestBatchQueue = Server.TestCase
