"""Sender: puts requests and pipelines on their way and numbers all that are sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from simpy import Environment

from simcore.request import Outcome, Request, Service
from simcore.workload.pipeline import PipelinePlan

Work = Request | PipelinePlan
Answered = Callable[[Request], None]
Ended = Callable[[Request], None]
"""Told of each request, pipelines and their stages too, once nothing about it changes any more."""


class Carrier(Protocol):
    """What brings requests to their backends and answers back: simulated, or over HTTP."""

    @property
    def outstanding(self) -> int:
        """Requests sent that have no outcome yet."""
        ...

    def send(self, request: Request, answered: Answered, timeout: float | None = None) -> None:
        """Send ``request`` now; ``answered`` is called once it has its outcome."""
        ...

    def stop(self) -> None:
        """End all requests that still have no outcome as unfinished."""
        ...


class Sender:
    """Sends work now; ``answered`` hears of the request, or of the whole pipeline's, when it has ended.

    A request's id is its place among all that are ``sent``. ``ended`` hears of pipelines; of all else the
    carrier tells it.
    """

    def __init__(self, env: Environment, carrier: Carrier, timeouts: dict[str, float], ended: Ended) -> None:
        self.env = env
        self.sent = 0
        self._carrier = carrier
        self._timeouts = timeouts
        self._ended = ended
        self._under_way: dict[Request, None] = {}

    @property
    def outstanding(self) -> int:
        """Requests and pipelines sent that have no outcome yet."""
        return self._carrier.outstanding + len(self._under_way)

    def send(self, work: Work, answered: Answered) -> None:
        """Send a request or start a pipeline."""
        if isinstance(work, PipelinePlan):
            self._number(work.request)
            self._under_way[work.request] = None
            PipelineRun(self, work, answered).start()
        else:
            self.send_request(work, answered)

    def send_request(self, request: Request, answered: Answered) -> None:
        """Send one request. The client of a stage has waited since the pipeline began."""
        self._number(request)
        timeout = self._timeouts.get(request.stream)
        if timeout is not None and request.parent is not None:
            timeout = max(0.0, timeout - (self.env.now - request.parent.arrival))
        self._carrier.send(request, answered, timeout)

    def pipeline_ended(self, request: Request) -> None:
        """Learn that a pipeline has its outcome."""
        del self._under_way[request]
        self._ended(request)

    def stop(self) -> None:
        """End what has no outcome yet as unfinished: pipelines first, so that they send nothing more."""
        for request in self._under_way:
            request.outcome = Outcome.UNFINISHED
            request.finished = self.env.now
            self._ended(request)
        self._under_way.clear()
        self._carrier.stop()

    def _number(self, request: Request) -> None:
        request.id = self.sent
        self.sent += 1


class PipelineRun:
    """One pipeline under way. The first stage that does not complete ends it with its outcome.

    The pipeline's first token is that of the LLM stage that ended last.
    """

    def __init__(self, sender: Sender, plan: PipelinePlan, answered: Answered) -> None:
        self._sender = sender
        self._plan = plan
        self._answered = answered

    def start(self) -> None:
        """Send the stages that wait for none."""
        for stage in self._plan.start(self._sender.env.now):
            self._sender.send_request(stage, self._stage_answered)

    def _stage_answered(self, stage: Request) -> None:
        whole = self._plan.request
        if whole.outcome is not None:
            return
        whole.cached_tokens += stage.cached_tokens
        whole.preemptions += stage.preemptions
        if stage.kind.service is Service.LLM:
            whole.first_token = stage.first_token
        if stage.outcome is not Outcome.COMPLETED:
            self._end(stage)
            return
        ready = self._plan.completed(stage, self._sender.env.now)
        if self._plan.done:
            self._end(stage)
        for following in ready:
            self._sender.send_request(following, self._stage_answered)

    def _end(self, last: Request) -> None:
        whole = self._plan.request
        whole.outcome = last.outcome
        whole.finished = last.finished
        self._sender.pipeline_ended(whole)
        self._answered(whole)
