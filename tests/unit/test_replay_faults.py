"""Servers that misbehave while they are replayed on: every request has one outcome, and the replay ends."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from simcore.request import Kind, Outcome, Service
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate
from tests.factories import constant, poisson, scenario
from tests.unit.steady_loop import run_steadily
from tests.unit.test_replay import CHAT, PROFILES, Handler, chats, embedded, refusing, speaking, streamed
from validate.gateway.serve import listening, url_of
from validate.replay import carrier
from validate.replay.replay import Front, Replayed, replay
from validate.watch import Watched

LONGEST = 20.0
"""Seconds after which a replay of some two seconds hangs."""
NO_ANSWER = "no answer by the end of the run"
GIVEN_UP = "no answer within the client's timeout"
EMBED = {"kind": "embedding", "arrivals": poisson(20.0), "text_tokens": constant(4)}


class Stub:
    """A server that answers as told and counts what it is asked; it can go away and come back."""

    def __init__(self, completions: Handler, embeddings: Handler = embedded) -> None:
        self._bound = listening("127.0.0.1", 0)
        self._address = self._bound.getsockname()
        self.url = url_of(self._bound)
        self.asked = 0
        self._routes = {"/v1/completions": completions, "/v1/embeddings": embeddings}
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        for path, handler in self._routes.items():
            app.router.add_post(path, self._counting(handler))
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01)
        await self._runner.setup()
        if self._bound.fileno() < 0:
            self._bound = socket.create_server(self._address[:2])
        await web.SockSite(self._runner, self._bound).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._bound.close()

    def _counting(self, handler: Handler) -> Handler:
        async def answer(http: web.Request) -> web.StreamResponse:
            self.asked += 1
            response: web.StreamResponse = await handler(http)
            return response

        return answer


async def _quiet(stub: Stub) -> None:
    await stub.start()


def replayed(
    document: ScenarioDocument,
    stub: Stub,
    story: Callable[[Stub], Awaitable[None]] = _quiet,
    watched: list[Watched] | None = None,
) -> Replayed:
    """The scenario against the stub, to which the story happens meanwhile; the books are right."""

    async def work() -> Replayed:
        services = (Service.LLM, Service.EMBEDDING)
        front = Front(
            dict.fromkeys(services, stub.url), dict.fromkeys(services, "model"), watched=watched or ()
        )
        telling = asyncio.ensure_future(story(stub))
        try:
            async with asyncio.timeout(LONGEST):
                found = await replay(document, PROFILES, 0, Path(), front)
                await telling
                return found
        finally:
            await stub.stop()

    return balanced(run_steadily(work()))


def balanced(found: Replayed) -> Replayed:
    """Nothing is lost or counted twice, and each fault is of one request that did not complete."""
    requests = found.requests
    assert len(requests) > 10
    assert [request.id for request in requests] == list(range(len(requests)))
    assert len({id(request) for request in requests}) == len(requests)
    assert sum(outcomes(found).values()) == len(requests)
    assert all(request.finished >= request.arrival for request in requests)
    sent = [request for request in requests if request.kind is not Kind.PIPELINE]
    bad = sum(request.outcome is not Outcome.COMPLETED for request in sent)
    assert sum(found.faults.values()) == bad
    return found


def outcomes(found: Replayed) -> Counter[Outcome | None]:
    return Counter(request.outcome for request in found.requests)


def in_turn(*handlers: Handler) -> Handler:
    """Each request is answered by the next of them."""
    count = 0

    async def answer(http: web.Request) -> web.StreamResponse:
        nonlocal count
        count += 1
        response: web.StreamResponse = await handlers[(count - 1) % len(handlers)](http)
        return response

    return answer


async def resetting(http: web.Request) -> web.StreamResponse:
    """Loses the connection in the middle of its stream."""
    response = web.StreamResponse()
    await response.prepare(http)
    await response.write(b'data: {"choices": [{"text": "ba"}]}\n\n')
    assert http.transport is not None
    http.transport.abort()  # type: ignore[attr-defined]
    return response


async def mute(http: web.Request) -> web.StreamResponse:
    """Loses the connection before it has said anything."""
    assert http.transport is not None
    http.transport.abort()  # type: ignore[attr-defined]
    return web.Response()


async def stuck(http: web.Request) -> web.StreamResponse:
    """Hangs in the middle of its stream."""
    response = web.StreamResponse()
    await response.prepare(http)
    await response.write(b'data: {"choices": [{"text": "ba"}]}\n\n')
    await asyncio.sleep(60)
    return response


async def late_embedding(http: web.Request) -> web.Response:
    await asyncio.sleep(0.5)
    return await embedded(http)


def test_where_nothing_listens_every_request_fails() -> None:
    stub = Stub(streamed())

    async def gone(stub: Stub) -> None:
        await stub.stop()

    found = replayed(chats(), stub, gone)
    assert set(outcomes(found)) == {Outcome.FAILED}
    assert set(found.faults) == {"ClientConnectorError"}


@pytest.mark.parametrize("handler", [resetting, mute])
def test_a_lost_connection_is_one_failure_and_no_second_try(handler: Handler) -> None:
    stub = Stub(handler)
    found = replayed(chats(), stub)
    assert set(outcomes(found)) == {Outcome.FAILED}
    assert stub.asked == len(found.requests)


def test_a_hung_stream_is_given_up_or_unfinished_at_the_deadline() -> None:
    given_up = replayed(chats(timeout_ms=200.0), Stub(stuck))
    assert set(outcomes(given_up)) == {Outcome.TIMED_OUT}
    assert set(given_up.faults) == {GIVEN_UP}
    for request in given_up.requests:
        assert request.finished >= request.arrival + 0.2
    unfinished = replayed(chats(), Stub(stuck))
    assert set(outcomes(unfinished)) == {Outcome.UNFINISHED}
    assert set(unfinished.faults) == {NO_ANSWER}
    deadline = 2.0
    assert {request.finished >= deadline for request in unfinished.requests} == {True}


@pytest.mark.parametrize(
    "line",
    [b'data: {"choices": [0], "usage": "three"}', b'data: {"choices": [0], "usage": [3]}', b"x" * (3 << 20)],
)
def test_an_answer_of_another_shape_is_a_failure(line: bytes) -> None:
    assert set(outcomes(replayed(chats(), Stub(speaking(line))))) == {Outcome.FAILED}


def test_all_at_once_each_request_has_the_outcome_of_its_own_answer() -> None:
    stub = Stub(in_turn(streamed(0.0, 0.0), refusing(503), resetting, stuck, refusing(429)))
    found = replayed(chats(timeout_ms=400.0), stub)
    count = len(found.requests)
    assert stub.asked == count
    every = [len(range(turn, count, 5)) for turn in range(5)]
    assert outcomes(found) == {
        Outcome.COMPLETED: every[0],
        Outcome.FAILED: every[1] + every[2],
        Outcome.TIMED_OUT: every[3],
        Outcome.REJECTED: every[4],
    }
    assert found.faults["HTTP 503"] == every[1]


def test_a_slow_embedding_server_is_waited_for_as_long_as_the_stream_says() -> None:
    def embedding(**more: Any) -> ScenarioDocument:
        return scenario(duration_s=1.0, drain_s=3.0, streams={"embed": EMBED | more})

    assert set(outcomes(replayed(embedding(), Stub(streamed(), late_embedding)))) == {Outcome.COMPLETED}
    impatient = replayed(embedding(timeout_ms=100.0), Stub(streamed(), late_embedding))
    assert set(outcomes(impatient)) == {Outcome.TIMED_OUT}


def test_a_pipeline_ends_with_the_stage_that_failed() -> None:
    stages = {
        "embed": {"kind": "embedding", "text_tokens": constant(8)},
        "answer": CHAT | {"after": ["embed"]},
    }
    rag = {"kind": "pipeline", "arrivals": poisson(30), "stages": stages}
    stub = Stub(streamed(), in_turn(embedded, refusing(500)))
    found = replayed(scenario(duration_s=1.0, drain_s=2.0, streams={"rag": rag}), stub)
    wholes = [request for request in found.requests if request.kind is Kind.PIPELINE]
    for whole in wholes:
        mine = [request for request in found.requests if request.parent is whole]
        embed = next(request for request in mine if request.stage == "embed")
        assert whole.outcome is embed.outcome
        assert len(mine) == (2 if embed.outcome is Outcome.COMPLETED else 1)
    assert Outcome.FAILED in {whole.outcome for whole in wholes}


def test_users_go_on_asking_a_server_that_is_gone() -> None:
    loop = {"process": "closed_loop", "users": 2, "think_time_s": constant(0.1)}
    document = scenario(duration_s=1.5, streams={"chat": CHAT | {"arrivals": loop}})

    async def gone(stub: Stub) -> None:
        await stub.stop()

    assert set(outcomes(replayed(document, Stub(streamed()), gone))) == {Outcome.FAILED}


def test_a_server_replaced_on_its_port_is_gone_for_a_moment_only() -> None:
    document = chats(rate=40.0)
    stub = Stub(streamed(0.01, 0.01))

    async def replaced(stub: Stub) -> None:
        await stub.start()
        await asyncio.sleep(0.4)
        await stub.stop()
        await asyncio.sleep(0.2)
        await stub.start()

    found = replayed(document, stub, replaced)
    simulated = simulate(document, PROFILES, 0, Path()).requests
    assert [request.arrival for request in found.requests] == [request.arrival for request in simulated]
    assert set(outcomes(found)) == {Outcome.COMPLETED, Outcome.FAILED}
    assert found.requests[0].outcome is found.requests[-1].outcome is Outcome.COMPLETED
    assert stub.asked <= len(found.requests)


def test_what_the_watch_sees_is_told_with_the_requests() -> None:
    stub = Stub(stuck)
    gone = Watched("the server", "http://127.0.0.1:9/health")
    found = replayed(chats(), stub, watched=[gone, Watched("the stub", stub.url)])
    assert [one.what for one in found.incidents] == ["the server stopped answering its health check"]
    assert found.lost == ["the server"]


def test_books_that_do_not_balance_are_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(self: carrier.HttpCarrier, request: Any, outcome: Outcome) -> None:
        self._outcomes[outcome] += 1
        end(self, request, outcome)

    end = carrier.HttpCarrier._end
    monkeypatch.setattr(carrier.HttpCarrier, "_end", twice)
    with pytest.raises(AssertionError):
        replayed(chats(), Stub(streamed()))
