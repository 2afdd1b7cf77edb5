"""Running: what a model runner remembers of the requests that vLLM's scheduler sends it."""

from __future__ import annotations

from typing import Any

from calibration.backends.scheduled import computed_before, step_of
from simcore.step import Step


class Running:
    """Requests by id, with the tokens of their prompts, and of prompt and answer together.

    The scheduler names a prompt once, when it first schedules its request (with vLLM's second model runner
    again when it resumes it after a preemption), and afterwards the number of tokens generated, with
    asynchronous scheduling those under way included (vllm/v1/core/sched/scheduler.py).
    """

    def __init__(self) -> None:
        self._prompts: dict[str, int] = {}
        self._known: dict[str, int] = {}

    def take(self, output: Any) -> tuple[Step, list[bool]]:
        """The step that a `SchedulerOutput` asks for, and for each of its requests if it samples a token.

        A request samples once all its tokens are computed. One that was preempted computes its answer's
        tokens again like a prompt, as `simcore.llm.scheduler` has it.
        """
        self._update(output)
        before = computed_before(output)
        samples = [
            before[name] + tokens >= self._known[name] for name, tokens in output.num_scheduled_tokens.items()
        ]
        return step_of(output, self._decodes), samples

    def _decodes(self, name: str, before: int) -> bool:
        return self._known[name] > self._prompts[name] and before == self._known[name] - 1

    def _update(self, output: Any) -> None:
        for name in output.finished_req_ids:
            self._prompts.pop(name, None)
            self._known.pop(name, None)
        for new in output.scheduled_new_reqs:
            self._prompts[new.req_id] = len(new.prompt_token_ids)
            self._known[new.req_id] = len(new.prefill_token_ids or new.prompt_token_ids)
        cached = output.scheduled_cached_reqs
        for name, generated in zip(cached.req_ids, cached.num_output_tokens, strict=True):
            self._known[name] = self._prompts[name] + generated
