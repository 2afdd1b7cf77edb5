"""The invariants of docs/invariants.md that hold of whole runs, over everything a scenario can say."""

from __future__ import annotations

import itertools
from collections import Counter
from math import isnan, nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from simcore.metrics import limits
from simcore.request import SERVICE_OF, Kind, Outcome, Request
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.faults import Faults
from simcore.scenario.stages import dependencies
from simcore.simulation import simulate
from simsage.metrics import Sample
from simsage.replication import Cell, replicate
from tests.factories import times
from tests.property.audited import audited
from tests.property.wide_scenarios import DRAINED, DURATION, PROFILES, SETTINGS, wide_scenarios


@SETTINGS
@given(wide_scenarios())
def test_requests_are_conserved_and_nothing_precedes_its_cause(document: ScenarioDocument) -> None:
    result, _ = audited(document)
    assert [request.id for request in result.requests] == list(range(len(result.requests)))
    stages = Counter(request.parent.id for request in result.requests if request.parent)
    for request in result.requests:
        assert isinstance(request.outcome, Outcome)
        passed = times(request)
        if request.outcome is Outcome.COMPLETED:
            assert all(later >= earlier - 1e-12 for earlier, later in itertools.pairwise(passed))
            assert request.cached_tokens < max(1, request.prompt_tokens) or request.kind is Kind.PIPELINE
        assert request.finished >= request.arrival
        if request.kind is Kind.PIPELINE and request.outcome is Outcome.COMPLETED:
            assert stages[request.id] == len(document.streams[request.stream].stages or {})
        if request.parent:
            assert request.arrival >= request.parent.arrival
        else:
            assert request.arrival < DURATION
    _stages_follow_their_causes(document, result.requests)
    if document.drain_s == DRAINED:
        assert Outcome.UNFINISHED not in {request.outcome for request in result.requests}


def _stages_follow_their_causes(document: ScenarioDocument, requests: list[Request]) -> None:
    """A stage is asked once all that it comes after are completed."""
    ended = {
        (request.parent, request.stage): request.finished
        for request in requests
        if request.parent and request.outcome is Outcome.COMPLETED
    }
    for request in requests:
        if request.parent:
            stages = document.streams[request.stream].stages or {}
            for earlier in dependencies(stages)[request.stage]:
                assert request.arrival >= ended[request.parent, earlier]


@SETTINGS
@given(wide_scenarios())
def test_nothing_exceeds_its_capacity_and_kv_blocks_are_free_at_the_end(document: ScenarioDocument) -> None:
    result, schedulers = audited(document)
    if document.drain_s == DRAINED:
        for scheduler in schedulers:
            assert not scheduler.has_requests
            assert scheduler.kv.pool.used == 0
    for usage in result.backends:
        assert 0 <= usage.busy <= usage.span + 1e-9
        assert 0 <= usage.kv_mean <= usage.kv_peak <= 1
    spans = [usage.span for usage in result.backends]
    for plane in result.control_planes:
        assert 0 <= plane.decision_busy <= max(spans) + 1e-9


@SETTINGS
@given(wide_scenarios(), st.sampled_from(["fifo", "priority", "deficit_round_robin"]))
def test_variants_see_the_same_requests(document: ScenarioDocument, ordering: str) -> None:
    """Common random numbers: of open loops all of them, of a closed loop each user's k-th question; and each
    stage of a pipeline as far as both came.
    """
    changed = {"ordering": ordering, "routing": "round_robin", "max_in_flight": 2, "blocking_chat": False}
    plane = document.control_plane.model_copy(update=changed)
    other = document.model_copy(update={"control_plane": plane})
    seen = [simulate(variant, PROFILES, 0, Path()).requests for variant in (document, other)]
    stages, others = map(_staged, seen)
    assert all(stages[name] == others[name] for name in stages.keys() & others.keys())
    one, two = map(_asked, seen)
    for (stream, user), asked in one.items():
        if document.streams[stream].arrivals.process == "closed_loop":
            untimed = [[what[1:] for what in said] for said in (asked, two.get((stream, user), []))]
            assert all(first == second for first, second in zip(*untimed, strict=False))
        else:
            assert asked == two[stream, user]


def _asked(requests: list[Request]) -> dict[tuple[str, int], list[tuple[object, ...]]]:
    """What clients asked, by stream and user: when, and how much."""
    asked: dict[tuple[str, int], list[tuple[object, ...]]] = {}
    for request in requests:
        if request.parent is None:
            asked.setdefault((request.stream, request.user), []).append((request.arrival, *_sizes(request)))
    return asked


def _staged(requests: list[Request]) -> dict[tuple[str, int, int, str], tuple[object, ...]]:
    """What stages asked, by stream, user, which of the user's pipelines, and stage."""
    places: Counter[tuple[str, int]] = Counter()
    place_of = {}
    for request in requests:
        if request.kind is Kind.PIPELINE:
            whose = (request.stream, request.user)
            place_of[request] = (*whose, places[whose])
            places[whose] += 1
    return {(*place_of[one.parent], one.stage): _sizes(one) for one in requests if one.parent}


def _sizes(request: Request) -> tuple[object, ...]:
    sizes = (request.prompt_tokens, request.output_tokens, request.text_tokens)
    return (request.priority, *sizes, request.prefix_group)


@SETTINGS
@given(wide_scenarios())
def test_priority_is_never_inverted(document: ScenarioDocument) -> None:
    """While a request waits, the policy ``priority`` lets none go of its service and a lesser priority.

    Without faults: one that waits again after its backend failed did not wait in between.
    """
    plane = document.control_plane.model_copy(update={"ordering": "priority", "decision_cost_ms": 0.0})
    changed = {"control_plane": plane, "faults": Faults()}
    result = simulate(document.model_copy(update=changed), PROFILES, 0, Path())
    asked = [r for r in result.requests if r.kind is not Kind.PIPELINE and not isnan(r.submitted)]
    for service in set(SERVICE_OF.values()):
        lane = [request for request in asked if request.kind.service is service]
        gone = [request for request in lane if not isnan(request.dispatched)]
        at = np.array([request.dispatched for request in gone])
        levels = np.array([request.priority for request in gone])
        for request in lane:
            if request.outcome is Outcome.REJECTED:
                continue
            left = request.finished if isnan(request.dispatched) else request.dispatched
            overtook = (at > request.submitted) & (at < left) & (levels > request.priority)
            assert not overtook.any()


@SETTINGS
@given(wide_scenarios())
def test_percentiles_and_sums_agree_with_the_raw_records(document: ScenarioDocument) -> None:
    """The summary's figures from the requests alone, by the definitions of docs/metrics.md, one by one."""
    requests = simulate(document, PROFILES, 0, Path()).requests
    measured, frame = replicate(Cell("v", None, 0, document), PROFILES, Path())
    assert len(frame) == len(requests)
    rows = {sample.stream: sample for sample in measured.samples if not sample.stage}
    roots = [request for request in requests if request.parent is None]
    for stream, sample in rows.items():
        own = [request for request in roots if stream in ("all", request.stream)]
        _agrees(sample, own, document)
        _rates_agree(sample, [one for one in requests if stream in ("all", one.stream)], document)
    for name in ("offered_rate", "request_throughput", "output_throughput", "request_goodput"):
        total = sum(sample.values[name] for stream, sample in rows.items() if stream != "all")
        assert rows["all"].values[name] == pytest.approx(total, rel=1e-9, abs=1e-12)


def _agrees(sample: Sample, roots: list[Request], document: ScenarioDocument) -> None:
    counted = [request for request in roots if request.arrival >= document.warmup_s]
    assert sample.arrivals == len(counted) == sum(sample.outcomes.values())
    done = [request for request in counted if request.outcome is Outcome.COMPLETED]
    found = [_latencies(request) for request in done]
    for metric in ("e2el", "ttft", "tpot"):
        _statistics_agree(sample, metric, sorted(one[metric] for one in found if not isnan(one[metric])))
    limited = [request for request in counted if limits(document.streams[request.stream].slo)]
    judged = [one.outcome is Outcome.COMPLETED and _good(one, document) for one in limited]
    share = sum(judged) / len(judged) if judged else nan
    assert sample.values["slo_attainment"] == pytest.approx(share, nan_ok=True)


def _statistics_agree(sample: Sample, metric: str, seconds: list[float]) -> None:
    if not seconds:
        return
    assert sample.values[f"mean_{metric}_ms"] == pytest.approx(1e3 * sum(seconds) / len(seconds))
    for percent in (50, 90, 95, 99):
        place = (len(seconds) - 1) * percent / 100
        low, share = int(place), place - int(place)
        expected = seconds[low] + share * (seconds[min(low + 1, len(seconds) - 1)] - seconds[low])
        assert sample.values[f"p{percent}_{metric}_ms"] == pytest.approx(1e3 * expected)


def _rates_agree(sample: Sample, requests: list[Request], document: ScenarioDocument) -> None:
    """Of what ended within the window, whenever it came: pipelines whole, tokens of whoever made them.

    What is good is some of that, so no goodput exceeds its throughput.
    """
    span = document.duration_s - document.warmup_s
    ended = [
        request
        for request in requests
        if request.outcome is Outcome.COMPLETED
        and document.warmup_s <= request.finished <= document.duration_s
    ]
    roots = sum(request.parent is None for request in ended)
    good = sum(request.parent is None and _good(request, document) for request in ended)
    assert sample.values["request_goodput"] == pytest.approx(good / span)
    assert sample.values["request_goodput"] <= sample.values["request_throughput"]
    tokens = sum(request.output_tokens for request in ended if request.kind is not Kind.PIPELINE)
    assert sample.values["request_throughput"] == pytest.approx(roots / span)
    if "output_throughput" in sample.values:
        assert sample.values["output_throughput"] == pytest.approx(tokens / span)


def _latencies(request: Request) -> dict[str, float]:
    """Seconds; NaN where a request has none."""
    gaps = request.output_tokens - 1
    return {
        "e2el": request.finished - request.arrival,
        "ttft": request.first_token - request.arrival,
        "tpot": (request.finished - request.first_token) / gaps if gaps > 0 else float("nan"),
    }


def _good(request: Request, document: ScenarioDocument) -> bool:
    found = _latencies(request)
    slo = limits(document.streams[request.stream].slo)
    return not any(found[metric] * 1e3 > limit * (1 + 1e-9) for metric, limit in slo.items())


REACHED = {
    "completed": lambda requests: {Outcome.COMPLETED} == {request.outcome for request in requests},
    "rejected": lambda requests: any(request.outcome is Outcome.REJECTED for request in requests),
    "timed out": lambda requests: any(request.outcome is Outcome.TIMED_OUT for request in requests),
    "too long": lambda requests: any(request.outcome is Outcome.FAILED for request in requests),
    "unfinished": lambda requests: any(request.outcome is Outcome.UNFINISHED for request in requests),
    "preempted": lambda requests: any(request.preemptions for request in requests),
    "cached": lambda requests: any(request.cached_tokens for request in requests),
    "pipeline": lambda requests: any(request.parent for request in requests),
}


@pytest.mark.parametrize("what", REACHED)
def test_the_scenarios_reach(what: str) -> None:
    """A property says nothing of what no scenario ever does."""

    def reached(document: ScenarioDocument) -> bool:
        requests = simulate(document, PROFILES, 0, Path()).requests
        return bool(requests) and REACHED[what](requests)

    find(wide_scenarios(), reached, settings=settings(SETTINGS, max_examples=300, phases=[Phase.generate]))
