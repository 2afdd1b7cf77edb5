"""Phase: where a request was, from its arrival to its outcome."""

from __future__ import annotations

from itertools import pairwise
from math import isnan
from typing import NamedTuple

from simcore.request import NEVER, Kind, Outcome, Request, Service
from simsage.trace.recorder import Recorder

WORK = {Service.LLM: "prefill", Service.EMBEDDING: "batch", Service.RETRIEVER: "look-up"}
"""What follows the backend's queue."""


class Phase(NamedTuple):
    """From when to when, seconds."""

    name: str
    since: float
    until: float


def phases_of(request: Request, recorder: Recorder) -> list[Phase]:
    """Its phases, which follow each other without a gap; none of a pipeline, whose stages have them.

    Those that took no time are left out. One that is given up ends in the phase that it was in.
    """
    if request.kind is Kind.PIPELINE:
        return []
    end = request.finished
    begun = [(name, min(at, end)) for name, at in _starts(request, recorder) if not isnan(at)]
    bounds = [*begun, ("", end)]
    return [Phase(name, since, until) for (name, since), (_, until) in pairwise(bounds) if until > since]


def _starts(request: Request, recorder: Recorder) -> list[tuple[str, float]]:
    """When each phase began, NEVER for one that did not."""
    refused = request.outcome is Outcome.REJECTED
    return [
        ("to control plane", request.arrival),
        ("answer" if refused else "queue at control plane", request.submitted),
        ("dispatch", request.dispatched),
        ("queue at backend", request.backend_arrival),
        (WORK[request.kind.service], request.scheduled),
        ("decode", recorder.first_tokens.get(request, NEVER)),
        ("answer", recorder.answered.get(request, NEVER)),
    ]
