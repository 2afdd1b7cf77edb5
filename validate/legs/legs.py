"""legs_of: by how much each leg of the requests' way is off in the simulation, stream by stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from simcore.request import SERVICE_OF, Outcome, Request, Service
from simcore.scenario.cluster import LLMBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.places import places
from validate.compare.phenomena import Leg, Legs
from validate.compare.wording import labelled, ms, percent
from validate.legs.engine_times import Engine, EngineTimes, engine_times
from validate.legs.times import LEGS, SERVED, Times, known, simulated_times
from validate.legs.twins import keys_of
from validate.pace import Steps

SERVED_MOMENTS = (Times._fields.index("sent"), Times._fields.index("dispatched"), len(Times._fields) - 1)


class Sides(NamedTuple):
    """One repetition: its live requests, its engines' steps by backend, and the simulated requests.

    ``aligned`` tells whether the steps' times count from the replay's start.
    """

    live: Sequence[Request]
    steps: Mapping[str, Steps]
    aligned: bool
    simulated: Sequence[Request]


class _Pair(NamedTuple):
    """One request on both sides."""

    live: Times
    simulated: Times
    service: Service


def legs_of(
    variant: str, point: float | None, document: ScenarioDocument, sides: Sequence[Sides]
) -> list[Legs]:
    """Of every stream whose requests completed on both sides, stages of pipelines among them.

    Counted are those that arrived after the warm-up and, of an LLM, were found in their engine's step log.
    """
    found: dict[tuple[str, Service], list[_Pair]] = {}
    all_of: dict[tuple[str, Service], int] = {}
    doubts = []
    for one in sides:
        engine = _engine(document, one)
        doubts.append(engine.uncertainty or 0.0)
        for key, pair in _pairs(document, one, engine):
            all_of[key] = all_of.get(key, 0) + 1
            if pair is not None:
                found.setdefault(key, []).append(pair)
    doubt = max(doubts, default=0.0)
    return [
        _document(variant, point, stream, pairs, all_of[stream, service], doubt)
        for (stream, service), pairs in found.items()
    ]


def _engine(document: ScenarioDocument, one: Sides) -> Engine:
    """What the logs of all engines say together."""
    asked = [request for request in one.live if SERVICE_OF.get(request.kind) is Service.LLM]
    several = sum(isinstance(place.spec, LLMBackends) for place in places(document)) > 1
    times: dict[int, EngineTimes] = {}
    doubt = 0.0
    for steps in one.steps.values():
        # Which of several engines had a request is known only where the log names it.
        found = engine_times([] if several else asked, steps, one.aligned)
        times |= found.times
        doubt = max(doubt, found.uncertainty or 0.0)
    return Engine(times, doubt)


def _pairs(
    document: ScenarioDocument, one: Sides, engine: Engine
) -> Iterator[tuple[tuple[str, Service], _Pair | None]]:
    simulated = dict(keys_of(one.simulated))
    for key, request in keys_of(one.live):
        counted = request.arrival >= document.warmup_s and request.outcome is Outcome.COMPLETED
        service = SERVICE_OF.get(request.kind)
        if not counted or service is None or service is Service.RETRIEVER:
            continue
        twin, times = simulated.get(key), _live_times(request, engine)
        pair = None
        if twin is not None and twin.outcome is Outcome.COMPLETED and times is not None:
            pair = _Pair(times, simulated_times(twin), service)
        yield (request.stream, service), pair


def _live_times(request: Request, engine: Engine) -> Times | None:
    if request.kind.service is not Service.LLM:
        return Times(request.arrival, request.dispatched, finished=request.finished)
    seen = engine.times.get(request.id)
    if seen is None:
        return None
    return Times(
        sent=request.arrival,
        dispatched=request.dispatched,
        arrived=seen.arrived,
        scheduled=seen.scheduled,
        computed=seen.computed,
        first=request.first_token,
        ended=seen.ended,
        finished=request.finished,
    )


def _document(
    variant: str, point: float | None, stream: str, pairs: Sequence[_Pair], of: int, doubt: float
) -> Legs:
    parts = list(_parts(pairs))
    worst = max(parts, key=lambda leg: abs(leg.error_ms))
    said = "; ".join(f"{leg.name} {ms(leg.live_ms)} live, {ms(leg.simulated_ms)} simulated" for leg in parts)
    engine = pairs[0].service is Service.LLM
    share, server = len(pairs) / of, "LLM" if engine else "embedding server"
    return Legs(
        variant=variant,
        point=point,
        stream=stream,
        service="llm" if engine else "embedding",
        requests=len(pairs),
        share=share,
        uncertainty_ms=1e3 * doubt if engine else 0.0,
        legs=parts,
        sentence=(
            f"Where the time of {stream} at the {server} goes with {labelled(variant, point)}, over "
            f"{percent(share)} of its requests: {said}. Furthest off: {worst.name}."
        ),
    )


def _parts(pairs: Sequence[_Pair]) -> Iterator[Leg]:
    """One for every two moments in a row that all live requests have; legs between that are unknown join."""
    llm = pairs[0].service is Service.LLM
    moments, names = (range(len(Times._fields)), LEGS) if llm else (SERVED_MOMENTS, SERVED)
    there = [all(known(pair.live)[moment] for pair in pairs) for moment in range(len(Times._fields))]
    live, simulated = (np.array([pair[side] for pair in pairs]).mean(axis=0) for side in (0, 1))
    kept = [place for place, moment in enumerate(moments) if there[moment]]
    for begin, end in pairwise(kept):
        took = [1e3 * float(side[moments[end]] - side[moments[begin]]) for side in (live, simulated)]
        yield Leg(
            name=" + ".join(names[begin:end]),
            live_ms=took[0],
            simulated_ms=took[1],
            error_ms=took[1] - took[0],
        )
