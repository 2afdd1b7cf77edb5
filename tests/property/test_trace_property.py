"""What holds in every trace, over the random scenarios of the engine's own properties."""

from __future__ import annotations

import itertools
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from simcore.request import Kind, Service
from simcore.simulation import simulate
from simsage.trace.phases import phases_of
from simsage.trace.recorder import Recorder
from simsage.trace.trace import events_of
from tests.factories import times
from tests.property.test_engine_property import PROFILES, scenarios


@settings(max_examples=40)
@given(scenarios())
def test_observing_a_run_changes_nothing(document: Any) -> None:
    plain, observed = (simulate(document, PROFILES, 0, Path(), seen) for seen in (None, Recorder()))
    assert plain.backends == observed.backends
    assert plain.control_planes == observed.control_planes
    for one, other in zip(plain.requests, observed.requests, strict=True):
        assert (one.outcome, one.backend) == (other.outcome, other.backend)
        assert times(one) == times(other)


@settings(max_examples=40)
@given(scenarios())
def test_a_backend_does_one_thing_at_a_time_and_is_busy_as_its_usage_says(document: Any) -> None:
    recorder = Recorder()
    result = simulate(document, PROFILES, 0, Path(), recorder)
    for usage in result.backends:
        llm = usage.service is Service.LLM
        done = recorder.steps[usage.name] if llm else recorder.batches[usage.name]
        assert all(later.since >= earlier.until for earlier, later in itertools.pairwise(done))
        busy = sum(max(0.0, min(one.until, document.duration_s) - one.since) for one in done)
        assert busy == pytest.approx(usage.busy, abs=1e-9)
        assert sum(getattr(one, "steps", 1) for one in done) == usage.steps


@settings(max_examples=40)
@given(scenarios())
def test_every_request_was_somewhere_all_the_time(document: Any) -> None:
    recorder = Recorder()
    for request in simulate(document, PROFILES, 0, Path(), recorder).requests:
        assert request.kind is not Kind.PIPELINE
        phases = phases_of(request, recorder)
        bounds = [request.arrival, *(phase.until for phase in phases)]
        assert [phase.since for phase in phases] == bounds[:-1]
        assert bounds[-1] == request.finished
        assert len({phase.name for phase in phases}) == len(phases)


@settings(max_examples=40)
@given(scenarios())
def test_counters_are_never_negative_and_fall_to_zero_once_all_is_answered(document: Any) -> None:
    recorder = Recorder()
    result = simulate(document, PROFILES, 0, Path(), recorder)
    counters = defaultdict(list)
    for event in events_of(result, recorder):
        if event["ph"] == "C":
            (value,) = event["args"].values()
            counters[event["pid"], event["name"]].append((event["ts"], value))
    for changes in counters.values():
        assert all(value >= 0 for _, value in changes)
        assert changes == sorted(changes, key=lambda change: change[0])
    if all(request.outcome.value == "completed" for request in result.requests if request.outcome):
        assert {changes[-1][1] for changes in counters.values()} <= {0}
