"""simulate: exact times on small examples, and the same random numbers wherever they should be."""

from __future__ import annotations

import itertools
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from simcore.request import Outcome, Request
from simcore.result import SimulationResult
from simcore.simulation import simulate
from tests.factories import constant, poisson, profile, scenario, times

CHAT = {"kind": "chat", "prompt_tokens": constant(8), "output_tokens": constant(5)}
STEADY = {"process": "constant", "rate": 1.0}


def run(step: float = 0.01, overheads: dict[str, float] | None = None, **parts: Any) -> SimulationResult:
    profiles = {"test": profile({"constant": step}, overheads=overheads)}
    return simulate(scenario(**parts), profiles, 0, Path())


def draws(result: SimulationResult, stream: str) -> list[tuple[float, int, int]]:
    return [(r.arrival, r.prompt_tokens, r.output_tokens) for r in result.requests if r.stream == stream]


def test_where_the_time_of_one_request_goes() -> None:
    """Hop in 1 ms, decision 2 ms, hop 1 ms, API server 3 ms, five steps of 10 ms, streaming 4 ms, 2 hops."""
    result = run(
        overheads={"request": 0.003, "output": 0.004},
        duration_s=1.5,
        streams={"chat": CHAT | {"arrivals": STEADY}},
        control_plane={"hop_latency_ms": 1.0, "decision_cost_ms": 2.0},
    )
    request = result.requests[0]
    since = [round(1e3 * (at - request.arrival), 6) for at in times(request)[1:]]
    assert since == [1.0, 3.0, 7.0, 7.0, 23.0, 63.0]


def test_a_dispatch_period_holds_requests_until_the_tick() -> None:
    result = run(
        duration_s=3.0,
        streams={"chat": CHAT | {"arrivals": poisson(5)}},
        control_plane={"dispatch_period_ms": 100.0},
    )
    for request in result.requests:
        tick = request.dispatched / 0.1
        assert tick == pytest.approx(round(tick))
        assert 0 <= request.dispatched - request.submitted <= 0.1 + 1e-9


def test_one_decision_at_a_time() -> None:
    result = run(
        duration_s=20.0,
        streams={"chat": CHAT | {"arrivals": poisson(30)}},
        control_plane={"decision_cost_ms": 20.0},
    )
    times = sorted(r.dispatched for r in result.requests)
    assert min(b - a for a, b in itertools.pairwise(times)) >= 0.02 - 1e-9


@pytest.mark.parametrize(("rate", "busy"), [(10.0, 4.0), (100.0, 16.0)])
def test_a_plane_decides_for_as_long_as_its_decisions_take(rate: float, busy: float) -> None:
    """Of the counted 16 s a quarter at 10 decisions of 25 ms a second, and all of it past 40; never more."""
    result = run(
        duration_s=20.0,
        warmup_s=4.0,
        streams={"chat": CHAT | {"arrivals": {"process": "constant", "rate": rate}}},
        control_plane={"decision_cost_ms": 25.0},
    )
    (plane,) = result.control_planes
    assert plane.decision_busy == pytest.approx(busy, abs=0.025)
    # Little: those there at a time are what they wait in all, over the time.
    counted = [(max(r.submitted, 4.0), min(r.dispatched - 0.025, 20.0)) for r in result.requests]
    assert plane.waiting_mean == pytest.approx(sum(b - a for a, b in counted if b > a) / 16.0)
    assert plane.dispatches == sum(not isnan(request.dispatched) for request in result.requests)


def test_variants_and_other_streams_do_not_shift_a_streams_draws() -> None:
    lengths = {"distribution": "uniform", "low": 1, "high": 50}
    chat = CHAT | {"arrivals": poisson(3), "prompt_tokens": lengths, "output_tokens": lengths}
    embed = {"kind": "embedding", "arrivals": poisson(3), "text_tokens": lengths}
    both = run(streams={"chat": chat, "embed": embed})
    alone = run(streams={"chat": chat, "embed": embed | {"enabled": False}})
    elsewhere = run(
        step=0.05,
        streams={"embed": embed, "chat": chat},
        control_plane={"ordering": "priority", "routing": "power_of_two", "max_in_flight": 2},
        backends={
            "llm": {"kind": "llm", "profile": "test", "count": 3},
            "embedding": {"kind": "embedding", "profile": "test"},
        },
    )
    assert draws(both, "chat") == draws(alone, "chat") == draws(elsewhere, "chat")
    assert draws(both, "embed") == draws(elsewhere, "embed")


def test_pipeline_stages_follow_each_other_and_the_whole_spans_them() -> None:
    result = run(
        duration_s=5.0,
        streams={
            "rag": {
                "kind": "pipeline",
                "arrivals": STEADY,
                "stages": {
                    "embed": {"kind": "embedding", "text_tokens": constant(8)},
                    "retrieve": {"kind": "retrieval"},
                    "generate": CHAT,
                },
            }
        },
        backends={
            "llm": {"kind": "llm", "profile": "test"},
            "embedding": {"kind": "embedding", "profile": "test"},
            "index": {"kind": "retriever", "service_time_ms": constant(100)},
        },
    )
    whole = [r for r in result.requests if r.parent is None]
    assert len(whole) == 5
    for request in whole:
        stages = [r for r in result.requests if r.parent is request]
        assert [s.stage for s in stages] == ["embed", "retrieve", "generate"]
        ends = [round(1e3 * (s.finished - request.arrival), 6) for s in stages]
        assert ends == [10.0, 110.0, 160.0]
        assert request.finished == stages[-1].finished
        assert request.first_token == stages[-1].first_token


def test_closed_loop_users_have_one_request_each() -> None:
    think = {"distribution": "exponential", "mean": 0.2}
    arrivals = {"process": "closed_loop", "users": 7, "think_time_s": think}
    result = run(duration_s=60.0, streams={"chat": CHAT | {"arrivals": arrivals}})
    of_user: dict[int, list[Request]] = {}
    for request in result.requests:
        of_user.setdefault(request.user, []).append(request)
    assert len(of_user) == 7
    for requests in of_user.values():
        for before, after in itertools.pairwise(requests):
            assert after.arrival >= before.finished


def test_a_client_that_gives_up_frees_what_it_held() -> None:
    result = run(
        step=0.1,
        duration_s=60.0,
        streams={"chat": CHAT | {"arrivals": poisson(8), "timeout_ms": 2000.0}},
        backends={"llm": {"kind": "llm", "profile": "test", "engine": {"max_num_seqs": 2}}},
        control_plane={"max_in_flight": 4},
    )
    outcomes = [r.outcome for r in result.requests]
    assert set(outcomes) == {Outcome.COMPLETED, Outcome.TIMED_OUT}
    for request in result.requests:
        took = request.finished - request.arrival
        assert took == pytest.approx(2.0) if request.outcome is Outcome.TIMED_OUT else took <= 2.0
    assert any(r.arrival > 50 for r in result.requests if r.outcome is Outcome.COMPLETED), "slots were lost"


def test_a_request_too_long_for_the_replica_fails_and_the_rest_goes_on() -> None:
    lengths = {"distribution": "empirical", "values": [8, 5000]}
    result = run(streams={"chat": CHAT | {"arrivals": poisson(2), "prompt_tokens": lengths}})
    for request in result.requests:
        fits = request.prompt_tokens == 8
        assert request.outcome is (Outcome.COMPLETED if fits else Outcome.FAILED)


def test_what_is_left_at_the_horizon_is_unfinished() -> None:
    result = run(step=1.0, duration_s=20.0, drain_s=3.0, streams={"chat": CHAT | {"arrivals": poisson(40)}})
    left = [r for r in result.requests if r.outcome is Outcome.UNFINISHED]
    assert left
    assert result.horizon <= 23.0


def test_the_client_of_a_pipeline_waits_for_the_whole() -> None:
    """Three stages of 50; the client waits 120."""
    stages = dict.fromkeys(("plan", "act", "sum"), CHAT)
    pipeline = {"kind": "pipeline", "stages": stages, "timeout_ms": 120.0, "arrivals": STEADY}
    whole, *parts = run(duration_s=0.5, streams={"agent": pipeline}).requests
    assert (whole.outcome, whole.finished) == (Outcome.TIMED_OUT, pytest.approx(0.12))
    ends = [(Outcome.COMPLETED, 0.05), (Outcome.COMPLETED, 0.1), (Outcome.TIMED_OUT, 0.12)]
    assert [(one.outcome, pytest.approx(one.finished)) for one in parts] == ends


def test_a_stage_for_which_no_time_is_left_is_given_up_as_it_is_sent() -> None:
    pipeline = {"kind": "pipeline", "stages": {"a": CHAT, "b": CHAT}, "timeout_ms": 50.0, "arrivals": STEADY}
    whole, *_ = run(duration_s=0.5, streams={"agent": pipeline}).requests
    assert (whole.outcome, whole.finished) == (Outcome.TIMED_OUT, pytest.approx(0.05))


def test_look_ups_that_take_no_time_are_as_many_as_there_are() -> None:
    """One of a second, and behind it thousands that are done as soon as it is."""
    times = {"distribution": "empirical", "values": [0.0, 1000.0], "weights": [1999.0, 1.0]}
    index = {"kind": "retriever", "concurrency": 1, "service_time_ms": times}
    streams = {"ask": {"kind": "retrieval", "arrivals": {"process": "constant", "rate": 2000.0}}}
    requests = run(duration_s=5.0, streams=streams, backends={"index": index}).requests
    assert len(requests) == 10_000
    assert all(one.outcome is Outcome.COMPLETED for one in requests)
    assert max(one.finished - one.arrival for one in requests) > 1.0


def test_what_an_engine_refuses_frees_its_place_at_once() -> None:
    """Two that come together, one at a time, with hops of 1: the first is too long, known at 3 and gone."""
    one = {"arrivals": STEADY, "kind": "chat", "output_tokens": constant(5)}
    streams = {"a": one | {"prompt_tokens": constant(5000)}, "b": one | {"prompt_tokens": constant(8)}}
    plane = {"max_in_flight": 1, "hop_latency_ms": 1.0}
    requests = run(duration_s=0.5, streams=streams, control_plane=plane).requests
    ends = [(r.stream, r.outcome, round(1e3 * r.finished, 6)) for r in requests]
    assert ends == [("a", Outcome.FAILED, 3.0), ("b", Outcome.COMPLETED, 55.0)]
