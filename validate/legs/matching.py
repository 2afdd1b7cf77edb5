"""match: which request was prefilled in which step of a log that has a step's sums alone.

A step with one prefill has as many prefill tokens as that request's prompt. A step with several has the sum
of theirs, and in its attention the sum of their squares: the two leave few choices. Only requests that had
been sent when the step was decided on, and that had no token before it was over, come into question. Prompts
that are computed in chunks or found in a prefix cache are not matched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simcore.request import Request
from validate.pace import Steps

MOST_TRIES = 20_000
"""Sets of requests that are tried for one step before it is given up as ambiguous."""


@dataclass(frozen=True, slots=True)
class Match:
    """A request and the number of the step that prefilled it."""

    request: Request
    step: int


def aligned(requests: Sequence[Request], steps: Steps) -> tuple[float, float | None]:
    """What the steps' times are ahead of the requests', in seconds, and how far off that may be either way.

    Of prompts whose length only one request and one step has it is known which step each was in. A step
    is decided on after its request was sent, and over before the client has the token: the offset lies
    between the two bounds that all of them leave, and its middle is taken. None where they leave nothing.
    """
    lengths = Counter(one.prompt_tokens for one in requests)
    single = [line for line in steps if line["step"]["prefills"] == 1]
    seen = Counter(line["step"]["prefill_tokens"] for line in single)
    by_length = {one.prompt_tokens: one for one in requests if lengths[one.prompt_tokens] == 1}
    pairs = [
        (line, by_length[length])
        for line in single
        if seen[length := line["step"]["prefill_tokens"]] == 1 and length in by_length
    ]
    if not pairs:
        return 0.0, None
    low = max(line["updated"] - one.first_token for line, one in pairs)
    high = min(line["scheduled"] - one.arrival for line, one in pairs)
    return (low + high) / 2, (high - low) / 2 if low <= high else None


def match(requests: Sequence[Request], steps: Steps, offset: float, uncertainty: float = 0.0) -> list[Match]:
    """The completed requests whose step is certain; who is in one step is in no other.

    ``offset`` and ``uncertainty`` are what `aligned` gives.
    """
    found: dict[Request, int] = {}
    open_steps = [number for number, line in enumerate(steps) if line["step"]["prefills"]]
    while True:
        settled = []
        for number in open_steps:
            left = [one for one in requests if one not in found]
            chosen = _only_choice(_possible(left, steps[number], offset, uncertainty), steps[number]["step"])
            if chosen is not None:
                found.update(dict.fromkeys(chosen, number))
                settled.append(number)
        if not settled:
            return [Match(request, number) for request, number in found.items()]
        open_steps = [number for number in open_steps if number not in settled]


def _possible(
    requests: Sequence[Request], line: dict[str, float], offset: float, uncertainty: float
) -> list[Request]:
    sent_by = line["scheduled"] - offset + uncertainty
    token_from = line["updated"] - offset - uncertainty
    return [one for one in requests if one.arrival <= sent_by and one.first_token >= token_from]


def _only_choice(candidates: Sequence[Request], step: dict[str, float]) -> list[Request] | None:
    """The one set of as many candidates as the step has prefills with its sums; None for none or several."""
    count, tokens = int(step["prefills"]), int(step["prefill_tokens"])
    squares = round(2 * step["prefill_attention"])
    found: list[list[Request]] = []
    for tried, chosen in enumerate(_sets(candidates, count, tokens, squares)):
        if tried >= MOST_TRIES:
            return None
        if chosen is not None:
            found.append(chosen)
            if len(found) > 1:
                return None
    return found[0] if found else None


def _sets(
    candidates: Sequence[Request], count: int, tokens: int, squares: int
) -> Iterator[list[Request] | None]:
    """Sets with these sums; None for each other place that the search has looked at."""
    if not count:
        yield [] if tokens == squares == 0 else None
        return
    # Of so many numbers with this sum, the squares have the least sum where all are alike.
    if tokens <= 0 or squares * count < tokens * tokens:
        yield None
        return
    for place, one in enumerate(candidates[: len(candidates) - count + 1]):
        length = one.prompt_tokens
        for rest in _sets(candidates[place + 1 :], count - 1, tokens - length, squares - length * length):
            yield None if rest is None else [one, *rest]
