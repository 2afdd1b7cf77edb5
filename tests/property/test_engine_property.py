"""What holds in every simulation, over random scenarios of all policies, control planes and engines."""

from __future__ import annotations

import itertools
from math import isnan
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.llm.scheduler import Scheduler
from simcore.policies.registry import ORDERINGS, ROUTINGS
from simcore.request import Outcome
from simcore.result import SimulationResult
from simcore.simulation import simulate
from tests.factories import poisson, scenario, times
from tests.property.wide_scenarios import PROFILES, uniform


@st.composite
def engines(draw: st.DrawFn) -> dict[str, Any]:
    seqs = draw(st.sampled_from([1, 2, 8, 32]))
    return {
        "max_num_seqs": seqs,
        "max_num_batched_tokens": draw(st.sampled_from([32, 128, 1024])),
        "num_gpu_blocks": draw(st.sampled_from([18, 30, 2000])),
        "block_size": 16,
        "enable_prefix_caching": draw(st.booleans()),
        "scheduling_policy": draw(st.sampled_from(["fcfs", "priority"])),
        "async_scheduling": draw(st.booleans()),
        "long_prefill_token_threshold": draw(st.sampled_from([0, 24])),
    }


@st.composite
def scenarios(draw: st.DrawFn) -> Any:
    chat = {"kind": "chat", "prompt_tokens": uniform(1, 180), "output_tokens": uniform(1, 60)}
    timeout = draw(st.sampled_from([None, 400.0, 3000.0]))
    think = {"distribution": "exponential", "mean": 0.3}
    streams: dict[str, Any] = {
        "urgent": chat | {"arrivals": poisson(draw(st.sampled_from([2, 12]))), "priority": "HIGH"},
        "flood": chat | {"arrivals": poisson(8), "tenant": "bulk", "prefix": {"groups": 2, "tokens": 64}},
        "users": chat | {"arrivals": {"process": "closed_loop", "users": 4, "think_time_s": think}},
        "texts": {"kind": "embedding", "arrivals": poisson(10), "text_tokens": uniform(1, 200)},
    }
    streams["flood"]["timeout_ms"] = streams["texts"]["timeout_ms"] = timeout
    count = draw(st.integers(1, 3))
    kind, mode = draw(
        st.sampled_from(
            [("unified", "uncoordinated"), ("unified", "coordinated"), ("separate", "uncoordinated")]
        )
    )
    return scenario(
        seed=draw(st.integers(0, 2**32)),
        duration_s=8.0,
        drain_s=draw(st.sampled_from([0.5, 100.0])),
        streams=streams,
        devices={"gpu": {"mode": mode}},
        backends={
            "llm": {
                "kind": "llm",
                "profile": "test",
                "count": count,
                "device": "gpu",
                "engine": draw(engines()),
                "sample_residuals": draw(st.booleans()),
            },
            "embedding": {"kind": "embedding", "profile": "test", "count": count, "device": "gpu"},
        },
        control_plane={
            "kind": kind,
            "ordering": draw(st.sampled_from(sorted(ORDERINGS))),
            "routing": draw(st.sampled_from(sorted(ROUTINGS))),
            "max_in_flight": draw(st.sampled_from([None, 1, 6])),
            "max_in_flight_embedding": draw(st.sampled_from([None, 2])),
            "dispatch_period_ms": draw(st.sampled_from([0.0, 50.0])),
            "decision_cost_ms": draw(st.sampled_from([0.0, 3.0])),
            "hop_latency_ms": draw(st.sampled_from([0.0, 1.0])),
            "stale_load_ms": draw(st.sampled_from([0.0, 100.0])),
        },
    )


@settings(max_examples=60)
@given(scenarios())
def test_conservation_and_causality(document: Any) -> None:
    result = simulate(document, PROFILES, 0, Path())
    for request in result.requests:
        assert isinstance(request.outcome, Outcome)
        if request.outcome is Outcome.COMPLETED:
            passed = times(request)
            assert len(passed) == (7 if request.output_tokens else 6)
            assert all(b >= a - 1e-12 for a, b in itertools.pairwise(passed))
            assert request.cached_tokens < max(1, request.prompt_tokens)
    if document.drain_s > 50 and document.control_plane.max_in_flight != 1:
        assert not [r for r in result.requests if r.outcome is Outcome.UNFINISHED]
    for usage in result.backends:
        assert usage.busy <= usage.span + 1e-9
        assert usage.kv_peak <= 1.0


@settings(max_examples=40)
@given(scenarios())
def test_no_backend_holds_more_than_its_limit(document: Any) -> None:
    limits = {"llm": document.control_plane.max_in_flight, "texts": None}
    result = simulate(document, PROFILES, 0, Path())
    if limits["llm"] is None:
        return
    spans: dict[int, list[tuple[float, int]]] = {}
    for request in result.requests:
        if request.output_tokens and not isnan(request.dispatched) and request.outcome is Outcome.COMPLETED:
            hop = document.control_plane.hop_latency_ms / 1e3
            spans.setdefault(request.backend, []).append((request.dispatched, 1))
            # Rounding puts the end behind the dispatch that it made room for.
            spans[request.backend].append((request.finished - hop - 1e-9, -1))
    for events in spans.values():
        held = 0
        for _, change in sorted(events):
            held += change
            assert held <= limits["llm"]


@settings(max_examples=40)
@given(scenarios())
def test_jumping_runs_of_decode_steps_equals_stepping(document: Any) -> None:
    def outcome_of(result: SimulationResult) -> list[tuple[Outcome | None, list[float], int]]:
        return [(r.outcome, times(r), r.preemptions) for r in result.requests]

    jumped = simulate(document, PROFILES, 0, Path())
    with patch.object(Scheduler, "uneventful_steps", lambda self: 0):
        stepped = simulate(document, PROFILES, 0, Path())
    assert len(jumped.requests) == len(stepped.requests)
    for one, other in zip(outcome_of(jumped), outcome_of(stepped), strict=True):
        assert one[0] is other[0]
        assert one[1] == pytest.approx(other[1], rel=1e-9, abs=1e-9)
        assert one[2] == other[2]
    for backend, same in zip(jumped.backends, stepped.backends, strict=True):
        assert (backend.steps, backend.kv_peak) == (same.steps, same.kv_peak)
        assert backend.busy == pytest.approx(same.busy, rel=1e-9)
        assert backend.batch_mean == pytest.approx(same.batch_mean, rel=1e-9)
        assert backend.kv_mean == pytest.approx(same.kv_mean, rel=0.05)
