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
        self._context = 0
        """Cached tokens that the first step of the run reads."""
        self._ahead: tuple[int, SchedulerOutput] | None = None
        """The step that follows the one under way, or the run, and its number."""

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
        if self._start_run():
            return
        number, output = self._ahead or self._schedule()
        self._ahead = None
        if not output.step.batch:
            self._finish_step(output)
            return
        self._output = output
        seconds = self._durations.single(output.step, number)
        if self._async and self.scheduler.has_requests:
            self._ahead = self._schedule()
        self._work(seconds, urgent=output.step.prefills > 0)

    def _start_run(self) -> bool:
        """Begin with a run of steps, if the next ones only decode.

        With asynchronous scheduling its first is decided on, and each decides on one more.
        """
        if self._front_end.every_step or (steps := self.scheduler.uneventful_steps()) < 2:
            return False
        decoding = self.scheduler.decoding
        number, context = decoding.step, decoding.context
        if self._async:
            if self._ahead is None or not self._ahead[1].decodes_alone(decoding.size):
                return False
            number, context = self._ahead[0], self._ahead[1].step.decode_context
        run = self._durations.run(decoding.size, context, number, steps)
        self._run, self._context = run, context
        self._work(run.total, urgent=False)
        return True

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
        size, before = decoding.size, pool.used
        follows = self._context + steps * size
        self.scheduler.jump(steps)
        if self._async:
            self._ahead = decoding.step - 1, SchedulerOutput.of_decodes(size, follows)
        blocks = (before, pool.used)
        self._usage.ran(steps, size, (self._context, follows - size), blocks, since, until)

    def _finish_step(self, output: SchedulerOutput) -> None:
        self._update(output)
        self._go_on()

    def _go_on(self) -> None:
        self._working = False
        if self.scheduler.has_requests:
            self._step()
