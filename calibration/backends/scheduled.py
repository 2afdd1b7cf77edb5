"""scheduled: what vLLM's scheduler decided on, read from its `SchedulerOutput`. Does not import vLLM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simcore.step import Step


def computed_before(output: Any) -> dict[str, int]:
    """Tokens that each request of the step had in the KV cache before it, by request id."""
    computed: dict[str, int] = {new.req_id: new.num_computed_tokens for new in output.scheduled_new_reqs}
    cached = output.scheduled_cached_reqs
    computed.update(zip(cached.req_ids, cached.num_computed_tokens, strict=True))
    return computed


def step_of(output: Any, decodes: Callable[[str, int], bool]) -> Step:
    """The `Step`; ``decodes`` tells by id and tokens computed before whether a request is past its prompt."""
    computed = computed_before(output)
    step = Step()
    for name, tokens in output.num_scheduled_tokens.items():
        before = computed[name]
        if decodes(name, before):
            step.decodes += 1
            step.decode_context += before + tokens
        else:
            step.prefills += 1
            step.prefill_tokens += tokens
            step.prefill_attention += tokens * (before + tokens / 2)
    return step
