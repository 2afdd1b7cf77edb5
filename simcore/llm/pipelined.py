"""PipelinedReplica: an engine whose thread and whose GPU are known apart, and work at once."""

from __future__ import annotations

from collections import deque

from simpy import Environment

from simcore.backend import BackendEvents, BackendName
from simcore.device import Job, Workplace
from simcore.llm.durations import StepDurations, StepFactors
from simcore.llm.replica import MakeFrontEnd, Replica
from simcore.llm.scheduler import Scheduler
from simcore.llm.scheduler_output import SchedulerOutput
from simcore.llm.usage import ReplicaUsage
from simcore.profile.hosttime import HostTime
from simcore.request import Service
from simcore.timer import Timer, after

IN_FLIGHT = 2
"""Steps that may be under way at once under asynchronous scheduling (vllm/config/vllm.py)."""


class Launch:
    """A step that was decided on, from its launch to its result."""

    __slots__ = ("computed", "done", "given", "gpu", "launched", "output", "scheduled")

    def __init__(self, output: SchedulerOutput, gpu: float, scheduled: float) -> None:
        self.output = output
        self.gpu = gpu
        """Seconds that the GPU needs for it."""
        self.scheduled = scheduled
        self.given = False
        """Whether the GPU has kernels of it."""
        self.launched = False
        self.computed = False
        self.done = False


class PipelinedReplica(Replica):
    """vLLM's EngineCore (vllm/v1/engine/core.py): ``step``, or ``step_with_batch_queue`` where that is async.

    One thread decides a step, launches it, and takes in the result of the oldest step under way; results are
    handed out only then. With asynchronous scheduling it launches one step more before it waits for that
    result. The GPU computes steps one after another, each as soon as it has kernels of it.
    """

    def __init__(
        self,
        env: Environment,
        naming: BackendName,
        scheduler: Scheduler,
        durations: StepDurations,
        host_time: HostTime,
        launch_factors: StepFactors,
        device: Workplace,
        make_front_end: MakeFrontEnd,
        events: BackendEvents,
        usage: ReplicaUsage,
    ) -> None:
        super().__init__(env, naming, scheduler, durations, device, make_front_end, events, usage)
        self._host_time = host_time
        self._launch_factors = launch_factors
        self._most = IN_FLIGHT if self._async else 1
        self._thread_busy = False
        """Whether the thread decides, launches or updates; else it waits for a result or for requests."""
        self._under_way: deque[Launch] = deque()
        """Steps without an update, the oldest first."""
        self._for_gpu: deque[Launch] = deque()
        """Steps that the GPU may begin with, once it is done with those before."""
        self._computing: Launch | None = None
        self._job = Job(Service.LLM, 0.0, self._computed)
        self._counted_until = 0.0
        self._starts = 0
        """Counts what the timers of a process that has crashed are told by."""

    def _begin(self) -> None:
        if not self._thread_busy and not self._under_way:
            self._next()

    def _interrupt(self) -> None:
        """Steps are decided one at a time: there is nothing to cut."""

    def _stop(self) -> None:
        self._starts += 1
        self._under_way.clear()
        self._for_gpu.clear()
        self._computing = None
        self._thread_busy = False

    def _count_under_way(self) -> None:
        if self._under_way:
            self._count(self._under_way[0])

    def _next(self) -> None:
        """Decide on a step if one more may be under way, else wait for the oldest."""
        waits = len(self._under_way) >= self._most or (self._under_way and self._under_way[0].done)
        if waits or not self.scheduler.has_requests or not self._launch():
            self._wait()

    def _launch(self) -> bool:
        """Decide on the next step and launch it; False if there is nothing in it."""
        number, output = self._schedule()
        step = output.step
        if not step.batch:
            self.scheduler.update_from_output(output)
            return False
        entry = Launch(output, self._durations.single(step, number), self.env.now)
        self._under_way.append(entry)
        self._thread_busy = True
        host = self._host_time
        seconds, first = host.launch(step), host.first_kernel(step)
        if not host.one_graph(step):
            seconds = max(first, seconds * self._launch_factors.at(number))
        seconds *= self._durations.slowdown
        first *= self._durations.slowdown
        Timer(self.env, seconds, self._launched, entry, self._starts)
        if first < seconds:
            Timer(self.env, first, self._give, entry, self._starts)
        return True

    def _give(self, entry: Launch, start: int) -> None:
        """Let the GPU have a step, as far as it is launched."""
        if start != self._starts:
            return
        entry.given = True
        self._for_gpu.append(entry)
        if self._computing is None:
            self._compute()

    def _launched(self, entry: Launch, start: int) -> None:
        if start != self._starts:
            return
        entry.launched = True
        if not entry.given:
            self._give(entry, start)
        elif entry.computed:
            entry.done = True
        self._thread_busy = False
        self._next()

    def _compute(self) -> None:
        entry = self._for_gpu.popleft()
        self._computing = entry
        self._job.again(entry.gpu, urgent=entry.output.step.prefills > 0)
        self._device.start(self._job)

    def _computed(self, job: Job) -> None:
        entry = self._computing
        assert entry is not None
        self._lost += job.lost(self.env.now)
        self._computing = None
        entry.computed = True
        if self._for_gpu:
            self._compute()
        if entry.launched:
            entry.done = True
            self._wait()

    def _wait(self) -> None:
        """Take in the oldest result if it is there and the thread has nothing else to do."""
        if not self._thread_busy and self._under_way and self._under_way[0].done:
            self._thread_busy = True
            after(self.env, self._host_time.update, self._updated, self._starts)

    def _updated(self, start: int) -> None:
        if start != self._starts:
            return
        entry = self._under_way.popleft()
        self._count(entry)
        self._update(entry.output)
        self._thread_busy = False
        if self.scheduler.has_requests or self._under_way:
            self._next()

    def _count(self, entry: Launch) -> None:
        """Count a step from its decision or, if that overlaps with the one before, from that one's end."""
        now = self.env.now
        since = max(entry.scheduled, self._counted_until)
        self._counted_until = now
        self._usage.stepped(entry.output.step, self.scheduler.kv.pool.used, since, now)
