"""Replica: one vLLM engine in simulated time, its API server around it."""

from __future__ import annotations

from simpy import Environment

from simcore.backend import BackendEvents, BackendName
from simcore.device import Job, Workplace
from simcore.extent import Extent
from simcore.llm.durations import StepDurations, StepRun
from simcore.llm.scheduler import Scheduler
from simcore.llm.scheduler_output import SchedulerOutput
from simcore.llm.sequence import Sequence, Status
from simcore.llm.usage import ReplicaUsage
from simcore.profile.base import Overheads
from simcore.request import Request, Service
from simcore.result import BackendUsage
from simcore.timer import after


class Replica:
    """Steps while it has requests; a run of uneventful decode steps is one job, cut short when one comes.

    The API server and tokeniser delay a request on its way in and a token on its way out; they do not
    block the engine. With asynchronous scheduling the next step is decided when the present one starts
    (vllm/v1/engine/core.py, step_with_batch_queue), so an arrival waits one step more.
    """

    def __init__(
        self,
        env: Environment,
        naming: BackendName,
        scheduler: Scheduler,
        durations: StepDurations,
        device: Workplace,
        overheads: Overheads,
        events: BackendEvents,
        usage: ReplicaUsage,
    ) -> None:
        self.env = env
        self.scheduler = scheduler
        self._naming = naming
        self._usage = usage
        self._durations = durations
        self._device = device
        self._overheads = overheads
        self._events = events
        self._sequences: dict[Request, Sequence] = {}
        self._aborted: list[Sequence] = []
        self._job = Job(Service.LLM, 0.0, self._ended, on_contention=self._interrupt)
        self._working = False
        self._output: SchedulerOutput | None = None
        """The step under way, unless it is one of a run."""
        self._run: StepRun | None = None
        self._ahead: tuple[int, SchedulerOutput] | None = None
        self._lost = 0.0
        self._async = scheduler.config.async_scheduling

    @property
    def device(self) -> str:
        """The name of the device that it works on."""
        return self._device.name

    def submit(self, request: Request) -> None:
        """Receive a request at the API server."""
        delay = self._overheads.request + self._overheads.prompt_token * request.prompt_tokens
        after(self.env, delay, self._arrive, request)

    def cancel(self, request: Request) -> None:
        """Give up a request; the engine lets go of it at the end of its step, as vLLM's does."""
        seq = self._sequences.pop(request, None)
        if seq is not None:
            self._aborted.append(seq)
            self._interrupt()
            request.generated_tokens = self._generated(seq)

    def crash(self) -> None:
        """Lose all requests and caches; the device is told by who lets it crash."""
        self._count_under_way()
        self._output = self._run = self._ahead = None
        for request, seq in self._sequences.items():
            request.generated_tokens = self._generated(seq)
        waiting = self._usage.waiting
        waiting.change(-waiting.value, self.env.now)
        steps = self.scheduler.decoding.step
        self.scheduler = Scheduler(self.scheduler.config)
        # Residuals are drawn by the step's number.
        self.scheduler.decoding.step = steps
        self._sequences.clear()
        self._aborted.clear()
        self._working = False

    def slow(self, factor: float) -> None:
        """Let steps that begin from now on take ``factor`` times as long."""
        self._durations.slowdown = factor
        self._interrupt()

    def finish(self) -> BackendUsage:
        """End with the simulation; what it did, with what is still under way."""
        self._count_under_way()
        usage = self._usage
        window, busy = usage.window, usage.window.total
        span = window.end - window.start
        return BackendUsage(
            name=self._naming.name,
            service=Service.LLM,
            device=self.device,
            profile=self._naming.profile,
            span=span,
            busy=busy,
            steps=usage.steps,
            batch_mean=usage.batch / busy if busy else 0.0,
            waiting_mean=usage.waiting.mean(self.env.now),
            kv_mean=usage.kv / span,
            kv_peak=usage.kv_peak / self.scheduler.kv.pool.size,
            preemptions=usage.preemptions,
            price_per_hour=self._naming.price_per_hour,
            joules=None if usage.energy is None else usage.joules,
        )

    @property
    def extents(self) -> tuple[Extent, Extent, Extent]:
        """Requests in a step, cached tokens per decoding request, prompt tokens in a step."""
        return self._usage.batches, self._usage.contexts, self._usage.chunks

    def _arrive(self, request: Request) -> None:
        if request.outcome is not None:
            return
        if not self.scheduler.config.fits(request.prompt_tokens, request.output_tokens):
            self._events.failed(request)
            return
        now = self.env.now
        request.backend_arrival = now
        seq = Sequence(
            request, request.prompt_tokens, request.output_tokens, now, request.priority, request.prefix_keys
        )
        self._sequences[request] = seq
        self.scheduler.add_request(seq)
        self._usage.waiting.change(1, now)
        if self._working:
            self._interrupt()
        else:
            self._begin()

    def _generated(self, seq: Sequence) -> int:
        """Output tokens of a sequence at the end of the step under way."""
        if seq.status is not Status.DECODING:
            return seq.num_output_tokens
        ahead = 0 if self._run is None else self._run.steps
        return self.scheduler.decoding.computed(seq) + ahead + 1 - seq.prompt_tokens

    def _interrupt(self) -> None:
        """Cut a run of steps short at the end of the step under way."""
        run = self._run
        if run is None:
            return
        step, end = run.end_of_step_at(self._job.worked(self.env.now))
        if step < run.steps:
            run.steps, run.total = step, end
            self._device.shorten(self._job, end)

    def _begin(self) -> None:
        scheduler = self.scheduler
        steps = 0 if self._async else scheduler.uneventful_steps()
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
            self._go_on()

    def _count_under_way(self) -> None:
        """Count what will not end: as far as it came, and the step that it is in as a whole one."""
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

    def _schedule(self) -> tuple[int, SchedulerOutput]:
        number = self.scheduler.decoding.step
        output = self.scheduler.schedule()
        now = self.env.now
        for seq in output.admitted:
            request = seq.key
            assert isinstance(request, Request)
            if not seq.num_preemptions:
                request.scheduled = now
                request.cached_tokens = seq.num_cached_tokens
                seq.lost_before = self._lost
        if output.admitted or output.preempted:
            # Asynchronous scheduling may preempt one that the step before finishes: it waits no more.
            again = sum(seq.status is Status.WAITING for seq in output.preempted)
            self._usage.waiting.change(again - len(output.admitted), now)
            self._usage.preemptions += len(output.preempted)
        return number, output

    def _finish_step(self, output: SchedulerOutput) -> None:
        self.scheduler.update_from_output(output)
        delay = self._overheads.output
        for seq in output.first_tokens:
            assert isinstance(seq.key, Request)
            seq.key.prefill_interference = self._lost - seq.lost_before
            self._events.first_token(seq.key, delay)
        for seq in output.finished:
            request = seq.key
            assert isinstance(request, Request)
            if self._sequences.pop(request, None) is not None:
                request.generated_tokens = seq.num_output_tokens
                request.preemptions = seq.num_preemptions
                request.interference = self._lost - seq.lost_before
                self._events.finished(request, delay)
        self._go_on()

    def _go_on(self) -> None:
        for seq in self._aborted:
            if seq.status is Status.WAITING:
                self._usage.waiting.change(-1, self.env.now)
            self.scheduler.abort(seq)
        self._aborted.clear()
        self._working = False
        if self.scheduler.has_requests:
            self._begin()
