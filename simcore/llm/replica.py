"""Replica: one vLLM engine in simulated time, its API server around it."""

from __future__ import annotations

from collections.abc import Callable
from math import nan

from simpy import Environment

from simcore.backend import BackendEvents, BackendName
from simcore.device import Workplace
from simcore.extent import Extent
from simcore.llm.durations import StepDurations
from simcore.llm.front_end import FrontEnd
from simcore.llm.scheduler import Scheduler
from simcore.llm.scheduler_output import SchedulerOutput
from simcore.llm.sequence import Sequence, Status
from simcore.llm.usage import ReplicaUsage
from simcore.request import Request, Service
from simcore.result import BackendUsage

MakeFrontEnd = Callable[[Callable[[Request], None]], FrontEnd]
"""Makes a replica's front end, given what is to be called with each request once the engine has it."""


class Replica:
    """Takes requests in, lets its scheduler decide steps, and hands their results out.

    What steps cost, and when one follows another, is up to the subclasses: `simcore.llm.stepping` lets one
    step follow the other, `simcore.llm.pipelined` has the engine's thread and the GPU work at once.
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
        self.env = env
        self.scheduler = scheduler
        self._naming = naming
        self._usage = usage
        self._durations = durations
        self._device = device
        self._front_end = make_front_end(self._arrive)
        self._events = events
        self._sequences: dict[Request, Sequence] = {}
        self._aborted: list[Sequence] = []
        self._lost = 0.0
        self._async = scheduler.config.async_scheduling

    @property
    def device(self) -> str:
        """The name of the device that it works on."""
        return self._device.name

    def submit(self, request: Request) -> None:
        """Receive a request at the API server."""
        self._front_end.receive(request)

    def cancel(self, request: Request) -> None:
        """Give up a request; the engine lets go of it at the end of its step, as vLLM's does."""
        seq = self._sequences.pop(request, None)
        if seq is not None:
            self._aborted.append(seq)
            self._interrupt()
            request.generated_tokens = self._generated(seq)
        self._front_end.forget(request)

    def crash(self) -> None:
        """Lose all requests and caches; the device is told by who lets it crash."""
        self._count_under_way()
        self._stop()
        self._front_end.crash()
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

    def slow(self, factor: float) -> None:
        """Let steps that begin from now on take ``factor`` times as long."""
        self._durations.slowdown = factor
        self._interrupt()

    def finish(self) -> BackendUsage:
        """End with the simulation; what it did, with what is still under way."""
        self._count_under_way()
        usage = self._usage
        usage.window.close(self.env.now)
        span, busy = usage.window.span, usage.window.total
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
            kv_mean=usage.kv / span if span else nan,
            kv_peak=usage.kv_peak / self.scheduler.kv.pool.size,
            preemptions=usage.preemptions,
            price_per_hour=self._naming.price_per_hour,
            joules=None if usage.energy is None else usage.joules,
        )

    @property
    def extents(self) -> tuple[Extent, Extent, Extent]:
        """Requests in a step, cached tokens per decoding request, prompt tokens in a step."""
        return self._usage.batches, self._usage.contexts, self._usage.chunks

    def _begin(self) -> None:
        """Begin with the next step, or do nothing if one is under way."""
        raise NotImplementedError

    def _interrupt(self) -> None:
        """Let what changed count from the next step on."""
        raise NotImplementedError

    def _stop(self) -> None:
        """Drop all steps that are under way."""
        raise NotImplementedError

    def _count_under_way(self) -> None:
        """Count the steps that will not end: as far as they came, and the one under way as a whole one."""
        raise NotImplementedError

    def _steps_ahead(self) -> int:
        """Steps that are under way and that the scheduler has not advanced over."""
        return 0

    def _arrive(self, request: Request) -> None:
        if request.outcome is not None:
            return
        if not self.scheduler.config.fits(request.prompt_tokens, request.output_tokens):
            self._front_end.forget(request)
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
        self._begin()

    def _generated(self, seq: Sequence) -> int:
        """Output tokens of a sequence at the end of the step under way."""
        if seq.status is not Status.DECODING:
            return seq.num_output_tokens
        return self.scheduler.decoding.computed(seq) + self._steps_ahead() + 1 - seq.prompt_tokens

    def _schedule(self) -> tuple[int, SchedulerOutput]:
        """Decide on a step; its number and what is in it."""
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

    def _update(self, output: SchedulerOutput) -> None:
        """Take the results of a step in and hand them out, then let go of what was given up."""
        self.scheduler.update_from_output(output)
        if self._front_end.every_step or output.first_tokens or output.finished:
            self._hand_out(output)
        if self._aborted:
            self._let_go()

    def _hand_out(self, output: SchedulerOutput) -> None:
        now = self.env.now
        first: list[Request] = []
        for seq in output.first_tokens:
            request = seq.key
            assert isinstance(request, Request)
            if request in self._sequences:
                request.prefill_interference = self._lost - seq.lost_before
                request.engine_first_token = now
                first.append(request)
        finished: list[Request] = []
        for seq in output.finished:
            request = seq.key
            assert isinstance(request, Request)
            if self._sequences.pop(request, None) is not None:
                request.generated_tokens = seq.num_output_tokens
                request.preemptions = seq.num_preemptions
                request.interference = self._lost - seq.lost_before
                request.engine_finished = now
                finished.append(request)
        self._front_end.hand_out(output.step.decodes + len(first), first, finished)

    def _let_go(self) -> None:
        """Abort what was given up."""
        for seq in self._aborted:
            if seq.status is Status.WAITING:
                self._usage.waiting.change(-1, self.env.now)
            self.scheduler.abort(seq)
        self._aborted.clear()
