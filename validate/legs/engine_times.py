"""engine_times: when the engine had a request, first scheduled it, and had its first and last token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from simcore.request import NEVER, Outcome, Request
from validate.legs.matching import Match, aligned, match
from validate.pace import Steps


class EngineTimes(NamedTuple):
    """Seconds on the replay's clock; ``arrived`` is NEVER where the log has steps alone."""

    arrived: float
    scheduled: float
    computed: float
    ended: float


class Engine(NamedTuple):
    """What the logs of a replay's engines say of its requests, by id.

    ``uncertainty`` is how many seconds the engine's clock may be off the clients' either way; None where the
    two could not be aligned, and there are no times then.
    """

    times: dict[int, EngineTimes]
    uncertainty: float | None


def engine_times(requests: Sequence[Request], steps: Steps, on_clock: bool) -> Engine:
    """From one engine's ``steps``; ``on_clock`` tells whether their times count from the replay's start.

    Steps that name their requests say it directly. Others are matched with the completed ``requests`` of
    the engine, as far as that is unambiguous.
    """
    if any(line.get("admitted") is not None for line in steps):
        return Engine(_named(steps), 0.0)
    if not steps:
        return Engine({}, None)
    answered = [one for one in requests if one.outcome is Outcome.COMPLETED]
    offset, uncertainty = (0.0, 0.0) if on_clock else aligned(answered, steps)
    if uncertainty is None:
        return Engine({}, None)
    found = match(answered, steps, offset, uncertainty)
    return Engine({one.request.id: _matched(one, steps, offset) for one in found}, uncertainty)


def _named(steps: Steps) -> dict[int, EngineTimes]:
    begun: dict[int, tuple[float, float]] = {}
    computed: dict[int, float] = {}
    found: dict[int, EngineTimes] = {}
    for line in steps:
        for request, _, had in line.get("admitted") or ():
            begun[request] = had, line["scheduled"]
        computed.update(dict.fromkeys(line["first"], line["updated"]))
        for request in line["finished"]:
            if request in begun and request in computed:
                found[request] = EngineTimes(*begun[request], computed[request], line["updated"])
    return found


def _matched(one: Match, steps: Steps, offset: float) -> EngineTimes:
    """A sequence that is not preempted has one token of each step from its prefill on."""
    last = one.step + one.request.output_tokens - 1
    first = steps[one.step]
    ended = steps[last]["updated"] - offset if last < len(steps) else NEVER
    return EngineTimes(NEVER, first["scheduled"] - offset, first["updated"] - offset, ended)
