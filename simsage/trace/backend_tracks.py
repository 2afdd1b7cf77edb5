"""The box of one backend: its steps, batches or look-ups, and its counters."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from math import isnan

from simcore.request import Request, Service
from simcore.result import BackendUsage
from simsage.trace.chrome import TRACK, Event, counter, process_named, slice_of, track_named
from simsage.trace.levels import held, lanes, thinned, under_way
from simsage.trace.recorder import Recorder, Steps


def backend_events(
    pid: int, usage: BackendUsage, requests: Sequence[Request], recorder: Recorder
) -> Iterator[Event]:
    """All of the backend; ``requests`` are those that were sent to it."""
    yield from process_named(pid, f"{usage.name} ({usage.service.name.lower()}, {usage.profile})")
    if usage.service is Service.LLM:
        yield from _replica(pid, usage.name, requests, recorder)
    elif usage.service is Service.EMBEDDING:
        yield from _embedding_server(pid, usage.name, recorder)
    else:
        yield from _retriever(pid, requests, recorder)


def _replica(pid: int, name: str, requests: Sequence[Request], recorder: Recorder) -> Iterator[Event]:
    steps = recorder.steps[name]
    yield track_named(pid, TRACK, "steps")
    for one in steps:
        yield slice_of(pid, TRACK, one.step.kind, one.since, one.until, _facts(one))
    present = under_way(
        (request.scheduled, _left(request, steps, recorder))
        for request in requests
        if not isnan(request.scheduled)
    )
    yield from counter(pid, "waiting", list(thinned(recorder.waiting[name])))
    yield from counter(pid, "running", held([(one.since, one.step.batch) for one in steps], present))
    yield from counter(pid, "KV blocks", held([(one.since, one.used_blocks) for one in steps], present))


def _facts(one: Steps) -> Event:
    step = one.step
    return {
        "steps": one.steps,
        "batch": step.batch,
        "prefill_tokens": step.prefill_tokens,
        "decodes": step.decodes,
        "decode_context": step.decode_context,
        "kv_blocks": one.used_blocks,
    }


def _left(request: Request, steps: Sequence[Steps], recorder: Recorder) -> float:
    """When the engine let go of it: at its end, or at that of the step in which it was given up."""
    if request in recorder.answered:
        return recorder.answered[request]
    after = bisect_left(steps, request.finished, key=lambda one: one.until)
    return steps[after].until if after < len(steps) else request.finished


def _embedding_server(pid: int, name: str, recorder: Recorder) -> Iterator[Event]:
    batches = recorder.batches[name]
    yield track_named(pid, TRACK, "batches")
    for one in batches:
        facts = {"requests": one.requests, "texts": one.texts}
        yield slice_of(pid, TRACK, "batch", one.since, one.until, facts)
    yield from counter(pid, "waiting", list(thinned(recorder.waiting[name])))
    running = [(at, value) for one in batches for at, value in ((one.since, one.requests), (one.until, 0))]
    yield from counter(pid, "running", list(thinned(running)))


def _retriever(pid: int, requests: Sequence[Request], recorder: Recorder) -> Iterator[Event]:
    """Look-ups run beside each other: each is on the lowest track that is free."""
    answered = [request for request in requests if request in recorder.answered]
    answered.sort(key=lambda request: request.scheduled)
    spans = [(request.scheduled, recorder.answered[request]) for request in answered]
    tracks = [TRACK + lane for lane in lanes(spans)]
    for tid in sorted(set(tracks)):
        yield track_named(pid, tid, f"look-ups {tid}")
    for request, tid, (since, until) in zip(answered, tracks, spans, strict=True):
        yield slice_of(pid, tid, "look-up", since, until, {"request": request.id})
    yield from counter(pid, "waiting", under_way(_waits(requests)))
    yield from counter(pid, "running", under_way(spans))


def _waits(requests: Sequence[Request]) -> Iterator[tuple[float, float]]:
    for request in requests:
        if not isnan(request.backend_arrival):
            scheduled = request.scheduled
            yield request.backend_arrival, request.finished if isnan(scheduled) else scheduled
