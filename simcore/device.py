"""Device: what backends work on, and what they do to each other there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from simpy import Environment

from simcore.request import Service
from simcore.timer import Timer


@dataclass(slots=True, eq=False)
class Job:
    """Work given to a device: ``work`` seconds if undisturbed, then ``on_end`` is called with it.

    ``urgent`` work is not put off for others. ``on_contention`` is called when another job wants a turn:
    a job that consists of many steps can then be shortened to the end of the present one. What works on
    without pause has one job, which becomes the next piece of work whenever it has ended: see `again`.
    """

    service: Service
    work: float
    on_end: Callable[[Job], None]
    urgent: bool = True
    on_contention: Callable[[], None] | None = None
    compute_share: float = 0.0
    """Of an embedding batch: the part of its time that grows with what is in it."""
    asked: float = field(default=0.0, init=False)
    """When the device was given it."""
    started: float = field(default=0.0, init=False)
    """When the device first worked on it."""
    turn: float = field(default=0.0, init=False)
    """Seconds of the work that handing the device over takes."""
    in_gap: bool = field(default=False, init=False)
    """Whether it was worked on while an LLM step waited for its turn."""
    _done: float = field(default=0.0, init=False)
    _rate: float = field(default=0.0, init=False)
    _since: float = field(default=0.0, init=False)
    _timer: Timer | None = field(default=None, init=False)

    def again(self, work: float, *, urgent: bool) -> None:
        """Be another piece of work, once the one before has ended."""
        self.work = work
        self.urgent = urgent
        self.turn = self._done = self._rate = 0.0
        self.in_gap = False

    def worked(self, now: float) -> float:
        """Seconds of the work that are done."""
        return self._done + self._rate * (now - self._since)

    def lost(self, now: float) -> float:
        """Seconds that other work on the device cost it, once it is done."""
        return now - self.asked - (self.work - self.turn)

    def run(self, env: Environment, rate: float, ended: Callable[[Job], None]) -> None:
        """Work on at ``rate`` from now; ``ended`` is called with the job once all is done."""
        now = env.now
        if self._timer is None:
            self.started = now
        else:
            self._done += self._rate * (now - self._since)
            self._timer.cancel()
        self._since = now
        self._rate = rate
        left = (self.work - self._done) / rate
        self._timer = Timer(env, left if left > 0.0 else 0.0, ended, self)

    def stop(self) -> None:
        """Let it not end."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def end(self) -> None:
        """Say that it is done."""
        # The timer knows the job: a cycle, which only the garbage collector would take away.
        self._timer = None
        self.on_end(self)


class Workplace(Protocol):
    """What a backend sees of its device."""

    name: str
    alone: bool
    """Whether nobody else ever works there, and nothing stops the backend's work."""

    def start(self, job: Job) -> None:
        """Begin work on ``job`` as soon as that is possible."""

    def shorten(self, job: Job, work: float) -> None:
        """Let ``job`` be only ``work`` seconds long, which lies ahead of what is done."""


class Device:
    """A device whose backends run at once: each slows the others by a measured factor.

    ``slowdown`` gives, per service, how many times longer its work takes while a backend of another
    service works here too; ``growth`` gives what is added to that for each unit of the embedding batch's
    `Job.compute_share`, of the greatest if there are several. A device of one backend has no ``slowdown``:
    there is nobody to meet.
    """

    def __init__(
        self,
        env: Environment,
        name: str,
        slowdown: dict[Service, float] | None = None,
        growth: dict[Service, float] | None = None,
    ) -> None:
        self.env = env
        self.name = name
        self.alone = slowdown is None
        self._slowdown = slowdown or {}
        self._growth = growth or {}
        self._active: list[Job] = []

    def start(self, job: Job) -> None:
        """Begin work on ``job``."""
        job.asked = self.env.now
        self._active.append(job)
        if len(self._active) == 1:
            job.run(self.env, 1.0, self._end)
        else:
            self._rebalance()

    def shorten(self, job: Job, work: float) -> None:
        """Let ``job`` be only ``work`` seconds long, which lies ahead of what is done."""
        job.work = work
        job.run(self.env, self._rate(job), self._end)

    def withdraw(self, job: Job) -> None:
        """Give up ``job`` if it is not done; it does not end then."""
        if job in self._active:
            job.stop()
            self._active.remove(job)
            self._rebalance()

    def take_back(self, job: Job) -> bool:
        """Give up ``job`` if it waits for its turn, and say whether it did: here all begin at once."""
        return False

    def _rebalance(self) -> None:
        for job in self._active:
            job.run(self.env, self._rate(job), self._end)

    def _rate(self, job: Job) -> float:
        if len(self._active) == 1 or all(other.service is job.service for other in self._active):
            return 1.0
        slowdown = self._slowdown[job.service]
        if self._growth:
            slowdown += self._growth[job.service] * self._compute_share(job)
        return 1.0 / slowdown

    def _compute_share(self, job: Job) -> float:
        """The batch's own, or that of the batches that an LLM's step meets."""
        if job.service is Service.EMBEDDING:
            return job.compute_share
        share = 0.0
        for other in self._active:
            if other.compute_share > share:
                share = other.compute_share
        return share

    def _end(self, job: Job) -> None:
        self._active.remove(job)
        if self._active:
            self._rebalance()
        job.end()


class CoordinatedDevice:
    """A device whose backends take turns, so that neither slows the other's steps.

    Embedding batches go into the gaps between decode steps: when an LLM step ends, a waiting batch goes
    next unless the LLM's next step is urgent (it prefills); a batch that has waited ``max_gap_wait``
    seconds goes next in any case. After a batch, the LLM has the next turn.

    A batch that follows an LLM step takes ``turn`` seconds more: what it costs to hand over to it and back,
    both sides' refilling of caches included. A batch that follows a batch does not.
    """

    def __init__(self, env: Environment, name: str, max_gap_wait: float, turn: float = 0.0) -> None:
        self.env = env
        self.name = name
        self.alone = False
        self._max_gap_wait = max_gap_wait
        self._turn = turn
        self._working: Job | None = None
        self._last = Service.EMBEDDING
        self._llm: list[Job] = []
        self._batches: list[tuple[float, Job]] = []

    def start(self, job: Job) -> None:
        """Begin work on ``job`` when it is its turn."""
        job.asked = self.env.now
        if job.service is Service.LLM:
            self._llm.append(job)
        else:
            self._batches.append((self.env.now, job))
        if self._working is None:
            self._next()
        elif self._working.on_contention is not None:
            self._working.on_contention()

    def shorten(self, job: Job, work: float) -> None:
        """Let ``job`` be only ``work`` seconds long, which lies ahead of what is done."""
        job.work = work
        if job is self._working:
            job.run(self.env, 1.0, self._end)

    def withdraw(self, job: Job) -> None:
        """Give up ``job`` if it is not done; it does not end then, and the turn is the next one's."""
        if job is self._working:
            job.stop()
            self._working = None
            self._next()
        else:
            self.take_back(job)

    def take_back(self, job: Job) -> bool:
        """Give up ``job`` if it waits for its turn, and say whether it did."""
        waiting = len(self._llm) + len(self._batches)
        self._llm = [other for other in self._llm if other is not job]
        self._batches = [(asked, other) for asked, other in self._batches if other is not job]
        return len(self._llm) + len(self._batches) < waiting

    def _next(self) -> None:
        if self._batches and (not self._llm or self._batch_goes_first()):
            self._working = batch = self._batches.pop(0)[1]
            batch.in_gap = bool(self._llm)
            if self._last is Service.LLM:
                batch.work += self._turn
                batch.turn = self._turn
        elif self._llm:
            self._working = self._llm.pop(0)
        else:
            self._working = None
            return
        self._last = self._working.service
        self._working.run(self.env, 1.0, self._end)
        if self._batches and self._working.on_contention is not None:
            self._working.on_contention()

    def _batch_goes_first(self) -> bool:
        waited = self.env.now - self._batches[0][0]
        if self._last is not Service.LLM:
            return False
        return not self._llm[0].urgent or waited >= self._max_gap_wait

    def _end(self, job: Job) -> None:
        self._working = None
        job.end()
        self._go_on()

    def _go_on(self) -> None:
        # Asked apart: a compiler that has just seen it become None holds on to that over the end of the job.
        if self._working is None:
            self._next()
