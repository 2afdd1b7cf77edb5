"""PipelinedReplica: an engine whose thread and whose GPU are known apart, and work at once."""

from __future__ import annotations

from collections import deque
from math import inf

from simpy import Environment

from simcore.backend import BackendEvents, BackendName
from simcore.device import Workplace
from simcore.llm.decode_run import DecodeRun
from simcore.llm.durations import StepDurations, StepFactors
from simcore.llm.gpu import Gpu, Launch, OwnGpu, SharedGpu
from simcore.llm.replica import MakeFrontEnd, Replica
from simcore.llm.scheduler import Scheduler
from simcore.llm.usage import ReplicaUsage
from simcore.profile.hosttime import HostTime
from simcore.step import Step
from simcore.timer import Timer, at

IN_FLIGHT = 2
"""Steps that may be under way at once under asynchronous scheduling (vllm/config/vllm.py)."""

SHORTEST = 4
"""Steps that are worth being passed as a run."""

REACH = 32
"""Steps that a run looks ahead, or twice as many as the one before it came to: more might be in vain."""


class PipelinedReplica(Replica):
    """vLLM's EngineCore (vllm/v1/engine/core.py): ``step``, or ``step_with_batch_queue`` where that is async.

    One thread decides a step, launches it, and takes in the result of the oldest step under way; results are
    handed out only then. With asynchronous scheduling it launches one step more before it takes that result
    in, be it there or not. The GPU computes steps one after another, each as soon as it has kernels of it.

    What the thread does next follows from when results will be there, so that only its decisions and what it
    hands out are events; and where nobody else works on the GPU, so does a run of decisions on steps that
    only decode. It is cut at its latest decision when something comes that the next one, or the API server,
    has to know.
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
        self._own = OwnGpu() if device.alone else None
        self._gpu: Gpu = self._own or SharedGpu(env, device, self._computed)
        self._front_end.before_receiving = self._interrupt
        self._most = IN_FLIGHT if self._async else 1
        self._idle = True
        """Whether the thread waits for requests, and for nothing else."""
        self._timer: Timer | None = None
        """Ends what the thread is at."""
        self._awaits_since = inf
        """Since when it waits for a result whose time is not known; infinite if it does not."""
        self._under_way: deque[Launch] = deque()
        """Steps without an update, the oldest first."""
        self._counted_until = 0.0
        self._run: DecodeRun | None = None
        """What is under way instead of single steps."""
        self._reach = REACH
        """Steps that the next run looks ahead."""

    def _begin(self) -> None:
        if self._idle:
            self._next()
        else:
            self._interrupt()

    def _interrupt(self) -> None:
        """Cut a run at its latest decision."""
        if (run := self._run) is not None and self._timer is not None:
            self._timer.cancel()
            decided = self._settle(run)
            self._timer = at(self.env, run.decisions[decided], self._updated)

    def _stop(self) -> None:
        self._run = None
        if self._timer is not None:
            self._timer.cancel()
        self._gpu.stop()
        self._under_way.clear()
        self._awaits_since = inf
        self._idle = True

    def _count_under_way(self) -> None:
        self._interrupt()
        if self._under_way:
            self._count(self._under_way[0])

    def _next(self) -> None:
        """Decide on one more step, or wait for the oldest where there is nothing to decide on."""
        under_way = self._under_way
        self._idle = False
        if self._aborted:
            self._let_go()
        if self._start_run():
            return
        if self.scheduler.has_requests and self._launch():
            launched = under_way[-1].launched
            if len(under_way) < self._most:
                self._timer = at(self.env, launched, self._next)
            else:
                self._wait(launched)
        elif under_way:
            self._wait(self.env.now)
        else:
            self._idle = True

    def _start_run(self) -> bool:
        """Pass a run of steps that only decode, if one begins with the next decision."""
        if self._own is None or (steps := self.scheduler.uneventful_steps()) < SHORTEST:
            return False
        decoding, host = self.scheduler.decoding, self._host_time
        step = Step(decodes=decoding.size, decode_context=decoding.context)
        ahead = self._under_way[0] if self._under_way else None
        busy = self._front_end.busy_until
        like = ahead.output.decodes_alone(decoding.size) if ahead is not None else not self._async
        if not like or not host.one_graph(step) or busy == inf:
            return False
        steps = min(steps, self._reach)
        gpu = self._durations.several(step.decodes, step.decode_context, decoding.step, steps)
        launch = host.launch(step) * self._durations.slowdown
        run = DecodeRun(step.decodes, step.decode_context, gpu, launch, ahead)
        front = self._front_end.seconds(step.decodes)
        if run.follow(self.env.now, self._own.free, host.update, front, busy) < SHORTEST:
            self._reach = REACH
            return False
        self._run = run
        self._timer = at(self.env, run.decisions[-1], self._ran)
        return True

    def _ran(self) -> None:
        assert self._run is not None
        self._settle(self._run)
        self._updated()

    def _settle(self, run: DecodeRun) -> int:
        """Be where single steps would be by now, the next update aside; how many are decided on."""
        assert self._own is not None
        decided = run.decided_by(self.env.now)
        self.scheduler.jump(1)
        if (taken_in := decided - 1) > 0:
            self._take_in(run, taken_in)
        self._under_way = deque(run.under_way(decided))
        self._own.free = self._under_way[-1].computed
        self._run = None
        self._reach = max(REACH, 2 * decided)
        return decided

    def _take_in(self, run: DecodeRun, steps: int) -> None:
        """Count the first steps of a run and hand them out, and decide on as many more."""
        pool = self.scheduler.kv.pool
        since, until = max(run.scheduled, self._counted_until), run.decisions[steps]
        first = pool.used
        self.scheduler.jump(steps - 1)
        blocks = (first, pool.used)
        self._usage.ran(steps, run.decodes, run.contexts(steps), blocks, since, until)
        self._counted_until = until
        self._front_end.passed(run.decodes, until)
        self.scheduler.jump(1)

    def _launch(self) -> bool:
        """Decide on the next step and launch it; False if there is nothing in it."""
        number, output = self._schedule()
        step = output.step
        if not step.batch:
            self.scheduler.update_from_output(output)
            return False
        host, slowdown, now = self._host_time, self._durations.slowdown, self.env.now
        seconds = first = host.launch(step)
        if not host.one_graph(step):
            first = host.first_kernel(step)
            seconds = max(first, seconds * self._launch_factors.at(number))
        gpu = self._durations.single(step, number)
        entry = Launch(output, gpu, now, now + first * slowdown, now + seconds * slowdown)
        self._under_way.append(entry)
        self._gpu.give(entry)
        return True

    def _computed(self, entry: Launch, lost: float) -> None:
        self._lost += lost
        if self._awaits_since < inf and entry is self._under_way[0]:
            since, self._awaits_since = self._awaits_since, inf
            self._wait(since)

    def _wait(self, since: float) -> None:
        """Take in the oldest result once it is there; the thread has nothing else to do from ``since`` on."""
        done = self._under_way[0].done
        if done < inf:
            self._timer = at(self.env, max(since, done) + self._host_time.update, self._updated)
        else:
            self._awaits_since = since

    def _updated(self) -> None:
        entry = self._under_way.popleft()
        self._count(entry)
        self._update(entry.output)
        self._next()

    def _count(self, entry: Launch) -> None:
        """Count a step from its decision or, if that overlaps with the one before, from that one's end."""
        now = self.env.now
        since = max(entry.scheduled, self._counted_until)
        self._counted_until = now
        self._usage.stepped(entry.output.step, self.scheduler.kv.pool.used, since, now)
