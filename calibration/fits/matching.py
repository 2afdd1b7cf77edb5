"""match_requests: which step of a log gave each request its first token, and which its last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from simcore.step import Step

AHEAD = 8
"""How many first tokens may have overtaken one on their way to the client."""
MOST = 6
"""Prompts of one step that are told from others by their sum."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as its client saw it; times are seconds on the client's clock."""

    sent: float
    prompt_tokens: int
    output_tokens: int
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Matched:
    """A request with the numbers of the steps that made its first and its last token."""

    request: Sent
    first_step: int
    last_step: int


def match_requests(steps: Sequence[Step], requests: Sequence[Sent]) -> tuple[list[Matched], int]:
    """The requests with their steps, and for how many steps the prompts did not add up.

    Holds where no prompt was cut into chunks or found in a cache and nobody was preempted: a request is in
    one step with its whole prompt and in each that follows until it ends. Requests are told by the sums of
    their prompts' tokens, in order of their first tokens as far as these allow: one may have overtaken
    another on its way to the engine. Those without a last step are left out.
    """
    waiting = sorted(requests, key=lambda request: request.first)
    matched, doubtful = [], 0
    for number, step in enumerate(steps):
        if not step.prefills:
            continue
        chosen = _chosen(waiting, step)
        if chosen is None:
            doubtful += 1
            chosen = tuple(range(min(step.prefills, len(waiting))))
        for place in reversed(chosen):
            request = waiting.pop(place)
            last = number + request.output_tokens - 1
            if last < len(steps):
                matched.append(Matched(request, number, last))
    return matched, doubtful


def _chosen(waiting: Sequence[Sent], step: Step) -> tuple[int, ...] | None:
    """Places of the first ``step.prefills`` waiting requests whose prompts add up to the step's."""
    first = waiting[: step.prefills]
    if len(first) == step.prefills and sum(one.prompt_tokens for one in first) == step.prefill_tokens:
        return tuple(range(step.prefills))
    if step.prefills > MOST:
        return None
    near = range(min(len(waiting), step.prefills + AHEAD))
    for places in combinations(near, step.prefills):
        if sum(waiting[place].prompt_tokens for place in places) == step.prefill_tokens:
            return places
    return None
