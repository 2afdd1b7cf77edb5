"""One replica on small loads, to the millisecond: when its steps begin and end, and what it says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.request import Outcome, Request, Service
from simcore.result import SimulationResult
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario

CHAT = {"kind": "chat", "prompt_tokens": constant(3), "output_tokens": constant(30)}


def regular(every_ms: float) -> dict[str, Any]:
    """Arrivals at 0 and then every so many milliseconds."""
    return {"process": "constant", "rate": 1e3 / every_ms}


def run(every_ms: float, overheads: dict[str, float] | None = None, **parts: Any) -> SimulationResult:
    """Chats at 0 and at each ``every_ms`` before 100 ms, all of 3 tokens and 30 steps of 10 ms."""
    engine = parts.pop("engine", {})
    document = scenario(
        **{
            "duration_s": 0.1,
            "streams": {"chat": CHAT | {"arrivals": regular(every_ms)}},
            "backends": {"llm": {"kind": "llm", "profile": "test", "engine": engine}},
        }
        | parts
    )
    made = profile({"constant": 0.01}, overheads=overheads)
    assert made.llm is not None
    priced = made.model_copy(update={"llm": made.llm.model_copy(update={"price_per_hour": 3.5})})
    return simulate(document, {"test": priced}, 0, Path())


@pytest.mark.parametrize(("ahead", "first_token"), [(False, 110.0), (True, 120.0)])
def test_with_asynchronous_scheduling_an_arrival_waits_one_step_more(ahead: bool, first_token: float) -> None:
    """It comes at 95 ms, in the step that ends at 100 ms; the one after that is decided already, or not."""
    first, later = run(95.0, engine={"async_scheduling": ahead}).requests
    assert (round(1e3 * first.first_token, 6), round(1e3 * later.first_token, 6)) == (10.0, first_token)


def test_each_prompt_token_delays_a_request_on_its_way_in() -> None:
    (found,) = run(1000.0, {"request": 0.001, "prompt_token": 0.0005}).requests
    assert found.backend_arrival == pytest.approx(0.001 + 3 * 0.0005)


def test_what_a_replica_says_of_itself() -> None:
    """In the counted 50 ms two run, with at most 13 tokens; later a third; each comes to 32 tokens."""
    (usage,) = run(47.0, warmup_s=0.05).backends
    assert (usage.name, usage.service, usage.device, usage.profile) == ("llm", Service.LLM, "llm", "test")
    assert (usage.span, usage.busy) == (pytest.approx(0.05), pytest.approx(0.05))
    assert usage.batch_mean == pytest.approx(2.0)
    assert usage.kv_mean == pytest.approx(2 / 10_000)
    assert usage.kv_peak == pytest.approx(3 * 2 / 10_000)
    # The last came at 94 ms, began at 100 ms and took 30 steps.
    assert usage.steps == 40
    assert usage.preemptions == 0
    assert usage.price_per_hour == 3.5


def test_a_replica_that_nobody_asked_did_nothing() -> None:
    texts = {"kind": "embedding", "text_tokens": constant(8), "arrivals": regular(50.0)}
    backends = {kind: {"kind": kind, "profile": "test"} for kind in ("llm", "embedding")}
    usage, _ = run(1000.0, streams={"texts": texts}, backends=backends).backends
    assert (usage.busy, usage.batch_mean, usage.steps) == (0.0, 0.0, 0)
    assert (usage.kv_mean, usage.kv_peak) == (0.0, 0.0)


def on_a_shared_device(chats_ms: float, texts_ms: float, **engine: Any) -> list[Request]:
    """Batches of 10 ms between the steps; at 0 the text comes first."""
    backends: dict[str, dict[str, Any]] = {
        kind: {"kind": kind, "profile": "test", "device": "gpu"} for kind in ("llm", "embedding")
    }
    backends["llm"]["engine"] = engine
    texts = {"kind": "embedding", "text_tokens": constant(8), "arrivals": regular(texts_ms)}
    streams = {"texts": texts, "chat": CHAT | {"arrivals": regular(chats_ms)}}
    found = run(1000.0, streams=streams, backends=backends, devices={"gpu": {"mode": "coordinated"}}).requests
    return sorted(found, key=lambda one: (one.stream, one.arrival))


def test_a_request_is_told_what_other_work_cost_it_before_its_first_token_and_in_all() -> None:
    """One batch before its first step, one between two of its steps."""
    chat, *_ = on_a_shared_device(1000.0, 99.0)
    assert chat.prefill_interference == pytest.approx(0.01)
    assert chat.interference == pytest.approx(0.02)
    assert chat.finished == pytest.approx(0.32)


def test_a_step_with_a_prompt_goes_before_a_batch_and_one_without_after_it() -> None:
    """The step under way ends at 90 ms; the text of 82 ms waits for it, and for the chat of 84 ms."""
    late = on_a_shared_device(84.0, 82.0)
    assert [round(1e3 * one.first_token, 6) for one in late if one.stream == "chat"] == [20.0, 100.0]
    assert [round(1e3 * one.finished, 6) for one in late if one.stream == "texts"] == [10.0, 110.0]
    for ahead in (False, True):
        alone = on_a_shared_device(1000.0, 82.0, async_scheduling=ahead)
        assert [round(1e3 * one.finished, 6) for one in alone if one.stream == "texts"] == [10.0, 100.0]


@pytest.mark.parametrize("policy", ["fcfs", "priority"])
def test_preemptions_are_counted_for_the_replica_and_for_each_request(policy: str) -> None:
    """Four blocks for three requests of up to two each, of one priority: who came last is sent back."""
    result = run(30.0, engine={"num_gpu_blocks": 5, "scheduling_policy": policy})
    (usage,) = result.backends
    assert all(request.outcome is Outcome.COMPLETED for request in result.requests)
    assert usage.preemptions == sum(request.preemptions for request in result.requests) >= 2
    assert result.requests[0].preemptions == 0


def test_a_request_may_be_sent_back_again_and_again() -> None:
    """Of three blocks the first two requests each want two, and the third one comes last whenever it runs."""
    result = run(30.0, engine={"num_gpu_blocks": 4})
    (usage,) = result.backends
    assert usage.preemptions == sum(request.preemptions for request in result.requests)
    assert max(request.preemptions for request in result.requests) == 2


def one_at_a_time(engine: dict[str, Any], **streams: dict[str, Any]) -> SimulationResult:
    """Streams of one chat each, all at 0, in the order given; 400 ms are counted."""
    chats = {name: CHAT | {"arrivals": regular(1000.0)} | parts for name, parts in streams.items()}
    return run(1000.0, engine=engine, streams=chats, duration_s=0.4)


def test_the_engine_knows_the_priority_of_a_request() -> None:
    engine = {"max_num_seqs": 1, "scheduling_policy": "priority"}
    found = one_at_a_time(engine, first={}, low={"priority": "LOW"}, high={"priority": "HIGH"}).requests
    finished = {one.stream: round(1e3 * one.finished, 6) for one in found}
    assert finished == {"first": 300.0, "high": 600.0, "low": 900.0}


def test_one_that_is_given_up_waits_until_the_engine_lets_go_of_it() -> None:
    """The other goes on for 300 ms; its step that is under way after 55 ms ends at 60 ms."""
    (usage,) = one_at_a_time({"max_num_seqs": 1}, first={}, hasty={"timeout_ms": 55.0}).backends
    assert usage.waiting_mean == pytest.approx(0.06 / 0.4)


def test_one_that_is_sent_back_waits_again() -> None:
    """Of three blocks the first takes two from its 17th token on. The second, a step behind, has one until
    its own 17th token, at 150 ms, and gets two when the first has ended, at 300 ms.
    """
    (usage,) = one_at_a_time({"num_gpu_blocks": 4}, first={}, second={}).backends
    assert usage.preemptions == 1
    assert usage.waiting_mean == pytest.approx((0.01 + 0.15) / 0.4)
