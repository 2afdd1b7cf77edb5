"""The boxes of the requests, one for each stream, and that of the control plane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

from simcore.request import Kind, Outcome, Request, Service
from simsage.trace.chrome import Event, counter, process_named, span_begin, span_end
from simsage.trace.levels import under_way
from simsage.trace.phases import phases_of
from simsage.trace.recorder import Recorder


def stream_events(
    pid: int, stream: str, requests: Sequence[Request], backends: Sequence[str], recorder: Recorder
) -> Iterator[Event]:
    """A span for each request of the stream and, within it, one for each of its phases."""
    yield from process_named(pid, f"requests of {stream}")
    for request in requests:
        label = f"{stream}/{request.stage}" if request.stage else stream
        yield span_begin(pid, request.id, label, request.arrival, _facts(request, backends))
        for name, since, until in phases_of(request, recorder):
            yield span_begin(pid, request.id, name, since)
            yield span_end(pid, request.id, name, until)
        yield span_end(pid, request.id, label, request.finished)


def control_plane_events(pid: int, requests: Sequence[Request]) -> Iterator[Event]:
    """How many requests wait at the control plane, for each service."""
    yield from process_named(pid, "control plane")
    for service in Service:
        waits = [
            _wait(request)
            for request in requests
            if request.kind is not Kind.PIPELINE and request.kind.service is service and _queued(request)
        ]
        yield from counter(pid, f"waiting, {service.name.lower()}", under_way(waits))


def _queued(request: Request) -> bool:
    return not isnan(request.submitted) and request.outcome is not Outcome.REJECTED


def _wait(request: Request) -> tuple[float, float]:
    given_up = isnan(request.dispatched) or request.dispatched > request.finished
    return request.submitted, request.finished if given_up else request.dispatched


def _facts(request: Request, backends: Sequence[str]) -> Event:
    assert request.outcome is not None
    facts: Event = {"id": request.id, "outcome": request.outcome.value}
    if request.parent is not None:
        facts["pipeline"] = request.parent.id
    if request.backend >= 0:
        facts["backend"] = backends[request.backend]
    sizes = ("prompt_tokens", "output_tokens", "cached_tokens", "preemptions")
    return facts | {name: value for name in sizes if (value := getattr(request, name))}
