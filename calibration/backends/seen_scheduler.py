"""SeenScheduler: vLLM's own scheduler, telling what each step holds. Needs vLLM."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from typing import IO, Any, ClassVar

from vllm.v1.core.sched.async_scheduler import AsyncScheduler
from vllm.v1.core.sched.scheduler import Scheduler

from calibration.backends.scheduled import step_of
from calibration.backends.server import LOG_VARIABLE
from simcore.step import Step

Admitted = tuple[str, float, float]
"""vLLM's id, when the API server received the request and when the scheduler had it, monotonic."""


class Seen(Scheduler):  # type: ignore[misc]
    """Notes the `Step` that ``schedule`` decided on; decides nothing itself.

    In process the newest step is read from ``last``. In a server, each step goes to the file named by
    ``SIMSAGE_STEP_LOG`` with the seconds of the monotonic clock at ``schedule`` and after
    ``update_from_output``. With async scheduling ``schedule`` runs ahead of ``update_from_output``, so each
    update is paired with the decision that it answers. A step also names, by vLLM's ids, the requests
    ``admitted`` in it, each with when the API server received it and when the scheduler had it, and those
    that had their ``first`` token or were ``finished`` by it. The classes below plug in by vLLM's
    ``--scheduler-cls``.
    """

    last: ClassVar[Step] = Step()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        path = os.environ.get(LOG_VARIABLE)
        self._log: IO[str] | None = open(path, "a") if path else None  # noqa: SIM115, PTH123
        self._open: dict[int, tuple[float, Step, list[Admitted]]] = {}
        self._added: dict[str, tuple[float, float]] = {}
        self._unanswered: set[str] = set()

    def add_request(self, request: Any) -> None:
        """As vLLM's, noting when."""
        if self._log:
            now = time.monotonic()
            # vLLM takes the arrival on the other clock.
            self._added[request.request_id] = now - (time.time() - request.arrival_time), now
        super().add_request(request)

    def schedule(self, *args: Any, **kwargs: Any) -> Any:
        """As vLLM's, noting the step."""
        scheduled = time.monotonic()
        output = super().schedule(*args, **kwargs)
        Seen.last = self._step(output)
        if self._log:
            self._open[id(output)] = scheduled, Seen.last, self._admitted(output)
        return output

    def update_from_output(self, scheduler_output: Any, *args: Any, **kwargs: Any) -> Any:
        """As vLLM's, writing the step to the log."""
        outputs = super().update_from_output(scheduler_output, *args, **kwargs)
        if self._log:
            updated = time.monotonic()
            scheduled, step, admitted = self._open.pop(id(scheduler_output))
            if step.tokens:
                line = {
                    "scheduled": scheduled,
                    "updated": updated,
                    "busy": bool(self.running or self.waiting),
                    "step": asdict(step),
                    "admitted": admitted,
                    **self._answered(outputs),
                }
                self._log.write(json.dumps(line) + "\n")
                self._log.flush()
        return outputs

    def _admitted(self, output: Any) -> list[Admitted]:
        """Those scheduled for the first time; after a preemption a request is none of them."""
        new = [one.req_id for one in output.scheduled_new_reqs if one.req_id in self._added]
        self._unanswered.update(new)
        return [(name, *self._added.pop(name)) for name in new]

    def _answered(self, outputs: Any) -> dict[str, list[str]]:
        """The requests that had their first token and those that had their last, of ``EngineCoreOutputs``."""
        told = [one for client in outputs.values() for one in client.outputs]
        first = [one.request_id for one in told if one.request_id in self._unanswered and one.new_token_ids]
        finished = [one.request_id for one in told if one.finish_reason is not None]
        self._unanswered.difference_update(first, finished)
        return {"first": first, "finished": finished}

    def _step(self, output: Any) -> Step:
        return step_of(output, lambda name, before: before >= self.requests[name].num_prompt_tokens)


class SeenScheduler(Seen):
    """For engines that schedule a step when the one before is done."""


class SeenAsyncScheduler(Seen, AsyncScheduler):  # type: ignore[misc]
    """For engines with async scheduling."""
