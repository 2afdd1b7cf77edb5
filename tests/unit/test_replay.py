"""replay: the simulator's clients on the wall clock, over HTTP, against a server that computes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from simcore.request import Kind, Outcome, Request, Service
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate
from tests.factories import constant, poisson, profile, scenario
from tests.unit.steady_loop import run_steadily, stall
from validate.replay.prompts import Prompts
from validate.replay.replay import Front, Replayed, replay

Handler = Callable[[web.Request], Any]
PROFILES = {"test": profile()}
CHAT = {"kind": "chat", "prompt_tokens": constant(8), "output_tokens": constant(3)}


def replayed(document: ScenarioDocument, completions: Handler | None = None) -> Replayed:
    """The scenario against a server on this machine."""

    async def work() -> Replayed:
        app = web.Application()
        app.router.add_post("/v1/completions", completions or streamed())
        app.router.add_post("/v1/embeddings", embedded)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        services = (Service.LLM, Service.EMBEDDING)
        try:
            front = Front(dict.fromkeys(services, url), dict.fromkeys(services, "model"))
            return await replay(document, PROFILES, 0, Path(), front)
        finally:
            await runner.cleanup()

    return run_steadily(work())


def streamed(first: float = 0.02, rest: float = 0.03, tokens: int | None = None) -> Handler:
    """A token after ``first`` seconds, all others in one piece ``rest`` later, and the counts."""

    async def answer(http: web.Request) -> web.StreamResponse:
        wanted = (await http.json())["max_tokens"]
        response = web.StreamResponse()
        await response.prepare(http)
        await asyncio.sleep(first)
        await response.write(b'data: {"choices": [{"text": "ba"}]}\n\n')
        await asyncio.sleep(rest)
        await response.write(b'data: {"choices": [{"text": "be bi"}]}\n\n')
        counted = wanted if tokens is None else tokens
        await response.write(b'data: {"choices": [], "usage": {"completion_tokens": %d}}\n\n' % counted)
        return response

    return answer


async def embedded(http: web.Request) -> web.Response:
    texts = (await http.json())["input"]
    return web.json_response({"data": [{"embedding": [0.0]} for _ in texts]})


def refusing(status: int) -> Handler:
    async def answer(http: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "<b>no</b>"}}, status=status)

    return answer


def speaking(line: bytes) -> Handler:
    async def answer(http: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(http)
        await response.write(line + b"\n\n")
        return response

    return answer


def chats(rate: float = 30.0, **more: Any) -> ScenarioDocument:
    return scenario(duration_s=1.0, drain_s=1.0, streams={"chat": CHAT | {"arrivals": poisson(rate)} | more})


def test_what_is_sent_is_what_is_simulated_at_the_same_times() -> None:
    document = chats()
    live, simulated = replayed(document), simulate(document, PROFILES, 0, Path())
    assert [(r.stream, r.arrival, r.prompt_tokens) for r in live.requests] == [
        (r.stream, r.arrival, r.prompt_tokens) for r in simulated.requests
    ]
    assert {r.outcome for r in live.requests} == {Outcome.COMPLETED}
    assert len(live.lags) == len(live.requests) > 10
    assert min(live.lags) >= 0.0


def test_how_late_the_warm_up_was_sent_does_not_count() -> None:
    live = replayed(chats().model_copy(update={"warmup_s": 0.5}))
    assert len(live.lags) == sum(request.arrival >= 0.5 for request in live.requests) > 5


def test_times_are_the_clients_from_the_intended_sending() -> None:
    for request in replayed(chats(rate=5.0)).requests:
        assert 0.02 <= request.first_token - request.arrival < 0.5
        assert 0.05 <= request.finished - request.arrival < 0.5


def test_a_late_replayer_counts_from_the_time_that_it_meant_to_send_at() -> None:
    async def blocking(http: web.Request) -> web.StreamResponse:
        stall(0.1)
        return await streamed(0.0, 0.0)(http)

    late = replayed(chats(rate=20.0), blocking)
    assert max(late.lags) > 0.05
    document = chats(rate=20.0)
    arrivals = [r.arrival for r in simulate(document, PROFILES, 0, Path()).requests]
    assert [r.arrival for r in late.requests] == arrivals


@pytest.mark.parametrize(
    ("handler", "outcome", "fault"),
    [
        (refusing(429), Outcome.REJECTED, "HTTP 429"),
        (refusing(504), Outcome.TIMED_OUT, "HTTP 504"),
        (refusing(500), Outcome.FAILED, "HTTP 500"),
        (streamed(tokens=2), Outcome.FAILED, "2 tokens of 3"),
        (speaking(b"data: {not json"), Outcome.FAILED, "an event that is no JSON"),
        (speaking(b'data: {"error": {"code": 504}}'), Outcome.TIMED_OUT, "an error in the stream"),
        (speaking(b"data: [DONE]"), Outcome.FAILED, "unknown tokens of 3"),
        (
            speaking(b'data: {"choices": [0], "usage": {"completion_tokens": "%s"}}' % (b"<" * 100_000)),
            Outcome.FAILED,
            "unknown tokens of 3",
        ),
    ],
)
def test_every_fault_is_one_outcome_and_named(handler: Handler, outcome: Outcome, fault: str) -> None:
    found = replayed(chats(), handler)
    assert {r.outcome for r in found.requests} == {outcome}
    assert found.faults == {fault: len(found.requests)}


def test_a_client_gives_up_and_a_run_ends_by_itself() -> None:
    slow = streamed(first=30.0)
    assert {r.outcome for r in replayed(chats(timeout_ms=200.0), slow).requests} == {Outcome.TIMED_OUT}
    assert {r.outcome for r in replayed(chats(), slow).requests} == {Outcome.UNFINISHED}


def test_users_of_a_closed_loop_wait_think_and_ask_again() -> None:
    loop = {"process": "closed_loop", "users": 2, "think_time_s": constant(0.1)}
    document = scenario(duration_s=1.0, streams={"chat": CHAT | {"arrivals": loop}})
    found = replayed(document, streamed(0.05, 0.05))
    for user in (0, 1):
        mine = [r for r in found.requests if r.user == user]
        assert 4 <= len(mine) <= 5
        for before, request in pairwise(mine):
            assert request.arrival == pytest.approx(before.finished + 0.1, abs=0.02)


def test_the_stages_of_a_pipeline_follow_each_other() -> None:
    stages = {
        "embed": {"kind": "embedding", "text_tokens": constant(8)},
        "find": {"kind": "retrieval", "after": ["embed"]},
        "answer": CHAT | {"after": ["find"]},
    }
    document = scenario(
        duration_s=0.5,
        streams={"rag": {"kind": "pipeline", "arrivals": poisson(10), "stages": stages}},
        backends={
            "llm": {"kind": "llm", "profile": "test"},
            "embedding": {"kind": "embedding", "profile": "test"},
            "index": {"kind": "retriever", "service_time_ms": constant(40)},
        },
    )
    found = replayed(document).requests
    whole = [r for r in found if r.kind is Kind.PIPELINE]
    assert whole
    assert {r.outcome for r in found} == {Outcome.COMPLETED}
    for request in whole:
        embed, find, answer = sorted((r for r in found if r.parent is request), key=lambda r: r.arrival)
        assert (embed.stage, find.stage, answer.stage) == ("embed", "find", "answer")
        assert find.finished - find.arrival >= 0.04
        assert (find.arrival, answer.arrival) == (embed.finished, find.finished)
        assert (request.first_token, request.finished) == (answer.first_token, answer.finished)


def prompted(keys: tuple[int, ...] = (), tokens: int = 40) -> Request:
    return Request(0, "chat", Kind.LLM_CHAT, 0.0, tokens, 1, prefix_keys=keys)


def test_prompts_share_the_blocks_of_equal_keys_and_nothing_else() -> None:
    prompts = Prompts(7, block_size=16)
    one, two, other = (prompts.of(prompted(keys)) for keys in ((3, 4), (3, 5), ()))
    assert [len(p) for p in (one, two, other)] == [40, 40, 40]
    assert one[:16] == two[:16]
    assert not set(range(16, 40)) & {i for i in range(40) if one[i] == two[i]}
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 3
    assert Prompts(7, 16).of(prompted((3, 4))) == one
    assert Prompts(8, 16).of(prompted((3, 4))) != one


def test_texts_have_the_tokens_that_the_request_says() -> None:
    request = Request(0, "embed", Kind.EMBEDDING, 0.0, 12, text_tokens=(5, 7))
    assert [len(text) for text in Prompts(1, 16).texts(request)] == [5, 7]


def test_token_ids_are_ones_that_every_model_knows() -> None:
    request = Request(0, "embed", Kind.EMBEDDING, 0.0, 100_000, text_tokens=(100_000,))
    (text,) = Prompts(1, 16).texts(request)
    bert = 30_522
    assert 0 < min(text) <= max(text) < bert
