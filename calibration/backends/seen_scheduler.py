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


class Seen(Scheduler):  # type: ignore[misc]
    """Notes the `Step` that ``schedule`` decided on; decides nothing itself.

    In process the newest step is read from ``last``. In a server, each step goes to the file named by
    ``SIMSAGE_STEP_LOG`` with the seconds of the monotonic clock at ``schedule`` and after
    ``update_from_output``. With async scheduling ``schedule`` runs ahead of ``update_from_output``, so each
    update is paired with the decision that it answers. The classes below plug in by vLLM's
    ``--scheduler-cls``.
    """

    last: ClassVar[Step] = Step()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        path = os.environ.get(LOG_VARIABLE)
        self._log: IO[str] | None = open(path, "a") if path else None  # noqa: SIM115, PTH123
        self._open: dict[int, tuple[float, Step]] = {}

    def schedule(self, *args: Any, **kwargs: Any) -> Any:
        """As vLLM's, noting the step."""
        scheduled = time.monotonic()
        output = super().schedule(*args, **kwargs)
        Seen.last = self._step(output)
        if self._log:
            self._open[id(output)] = scheduled, Seen.last
        return output

    def update_from_output(self, scheduler_output: Any, *args: Any, **kwargs: Any) -> Any:
        """As vLLM's, writing the step to the log."""
        outputs = super().update_from_output(scheduler_output, *args, **kwargs)
        if self._log:
            scheduled, step = self._open.pop(id(scheduler_output))
            if step.tokens:
                line = {
                    "scheduled": scheduled,
                    "updated": time.monotonic(),
                    "busy": bool(self.running or self.waiting),
                    "step": asdict(step),
                }
                self._log.write(json.dumps(line) + "\n")
                self._log.flush()
        return outputs

    def _step(self, output: Any) -> Step:
        return step_of(output, lambda name, before: before >= self.requests[name].num_prompt_tokens)


class SeenScheduler(Seen):
    """For engines that schedule a step when the one before is done."""


class SeenAsyncScheduler(Seen, AsyncScheduler):  # type: ignore[misc]
    """For engines with async scheduling."""
