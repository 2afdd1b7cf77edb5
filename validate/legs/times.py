"""Times: the moments that divide a request's latency into legs, from its sending to its last token.

An LLM request has all of them, one that an embedding server answers those of `SERVED`.
"""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

from simcore.request import NEVER, Request, Service


class Times(NamedTuple):
    """Seconds since the start of the run, in order; NEVER where a moment is not known."""

    sent: float
    """When the client meant to send it."""
    dispatched: float = NEVER
    """When the control plane let go of it."""
    arrived: float = NEVER
    """When the engine's scheduler had it, behind the API server."""
    scheduled: float = NEVER
    """When the first step with it was decided on."""
    computed: float = NEVER
    """When the step with its first token was over, in the engine."""
    first: float = NEVER
    """When the client had the first token."""
    ended: float = NEVER
    """When the step with its last token was over, in the engine."""
    finished: float = NEVER
    """When the client had the last token."""


LEGS = (
    "control plane",
    "way in",
    "engine queue",
    "prefill",
    "way out of the first token",
    "decode",
    "way out of the end",
)
"""What passes between each moment and the next: the hops to the control plane and its queue; the hop to the
server, its API server and tokeniser; the wait for a place in a step; the steps to the first token; the API
server's answer and its hops; further steps; the answer's end."""
SERVED = ("control plane", "embedding")
"""The same for a request that is not an LLM's: to its dispatch, and from there to its end."""


def simulated_times(request: Request) -> Times:
    """A simulated request's moments."""
    if request.kind.service is not Service.LLM:
        return Times(request.arrival, request.dispatched, finished=request.finished)
    return Times(
        sent=request.arrival,
        dispatched=request.dispatched,
        arrived=request.backend_arrival,
        scheduled=request.scheduled,
        computed=request.engine_first_token,
        first=request.first_token,
        ended=request.engine_finished,
        finished=request.finished,
    )


def known(times: Times) -> tuple[bool, ...]:
    """Of each moment, whether it is known."""
    return tuple(not isnan(one) for one in times)
