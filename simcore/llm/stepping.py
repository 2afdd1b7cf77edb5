"""SteppingReplica: an engine of which a step time is all that is known."""

from __future__ import annotations

from simpy import Environment

from simcore.backend import BackendEvents, BackendName
from simcore.device import Job, Workplace
from simcore.llm.durations import StepDurations, StepRun
from simcore.llm.replica import MakeFrontEnd, Replica
from simcore.llm.scheduler import Scheduler
from simcore.llm.scheduler_output import SchedulerOutput
from simcore.llm.usage import ReplicaUsage
from simcore.request import Service


class SteppingReplica(Replica):
    """Steps while it has requests; a run of uneventful decode steps is one job, cut short when one comes.

    With asynchronous scheduling the next step is decided when the present one starts
    (vllm/v1/engine/core.py, step_with_batch_queue), so an arrival waits one step more.
    """

    def __init__(
        self,
        env: Environment,
        naming: BackendName,
        scheduler: Scheduler,
        durations: StepDurations,
        device: Workplace,
        make_front_end: MakeFrontEnd,
        events: BackendEvents,
        usage: ReplicaUsage,
    ) -> None:
        super().__init__(env, naming, scheduler, durations, device, make_front_end, events, usage)
        self._job = Job(Service.LLM, 0.0, self._ended, on_contention=self._interrupt)
        self._working = False
        self._output: SchedulerOutput | None = None
        """The step under way, unless it is one of a run."""
        self._run: StepRun | None = None
        self._ahead: tuple[int, SchedulerOutput] | None = None
        self._single = self._async or self._front_end.every_step

    def _begin(self) -> None:
        if self._working:
            self._interrupt()
        else:
            self._step()

    def _interrupt(self) -> None:
        """Cut a run of steps short at the end of the step under way."""
        run = self._run
        if run is None:
            return
        step, end = run.end_of_step_at(self._job.worked(self.env.now))
        if step < run.steps:
            run.steps, run.total = step, end
            self._device.shorten(self._job, end)

    def _stop(self) -> None:
        self._output = self._run = self._ahead = None
        self._working = False

    def _steps_ahead(self) -> int:
        return 0 if self._run is None else self._run.steps

    def _step(self) -> None:
        scheduler = self.scheduler
        steps = 0 if self._single else scheduler.uneventful_steps()
        if steps > 1:
            decoding = scheduler.decoding
            run = self._durations.run(decoding.size, decoding.context, decoding.step, steps)
            self._run = run
            self._work(run.total, urgent=False)
            return
        number, output = self._ahead or self._schedule()
        self._ahead = None
        if not output.step.batch:
            self._finish_step(output)
            return
        self._output = output
        seconds = self._durations.single(output.step, number)
        if self._async and scheduler.has_requests:
            self._ahead = self._schedule()
        self._work(seconds, urgent=output.step.prefills > 0)

    def _work(self, seconds: float, *, urgent: bool) -> None:
        self._working = True
        self._job.again(seconds, urgent=urgent)
        self._device.start(self._job)

    def _ended(self, job: Job) -> None:
        now = self.env.now
        self._lost += job.lost(now)
        output, run = self._output, self._run
        if output is not None:
            self._output = None
            self._usage.stepped(output.step, self.scheduler.kv.pool.used, job.started, now)
            self._finish_step(output)
        elif run is not None:
            self._run = None
            self._jump(run.steps, job.started, now)
            if self._aborted:
                self._let_go()
            self._go_on()

    def _count_under_way(self) -> None:
        now, job, run = self.env.now, self._job, self._run
        worked = job.worked(now)
        if not worked:
            return
        if run is not None:
            self._jump(run.end_of_step_at(worked)[0], job.started, now)
        elif self._output is not None:
            self._usage.stepped(self._output.step, self.scheduler.kv.pool.used, job.started, now)

    def _jump(self, steps: int, since: float, until: float) -> None:
        """Pass the steps of a run and count them."""
        decoding, pool = self.scheduler.decoding, self.scheduler.kv.pool
        size, first, before = decoding.size, decoding.context, pool.used
        self.scheduler.jump(steps)
        self._usage.ran(steps, size, (first, decoding.context - size), (before, pool.used), since, until)

    def _finish_step(self, output: SchedulerOutput) -> None:
        self._update(output)
        self._go_on()

    def _go_on(self) -> None:
        self._working = False
        if self.scheduler.has_requests:
            self._step()
