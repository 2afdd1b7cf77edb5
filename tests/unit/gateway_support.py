"""Fake OpenAI backends on this machine, and a gateway in front of them, all in one event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from simcore.request import Request
from tests.factories import constant, poisson, profile, scenario
from tests.unit.steady_loop import run_steadily
from validate.gateway.gateway import Gateway
from validate.gateway.run import gateway_of
from validate.gateway.serve import listening, start, url_of
from validate.gateway.settings import GatewaySettings
from validate.gateway.tokens import lengths_of
from validate.live.plane import Address, live_places

STREAMS = {
    "chat": {
        "kind": "chat",
        "arrivals": poisson(1.0),
        "prompt_tokens": constant(8),
        "output_tokens": constant(4),
    }
}
# Health checks wait long: a busy machine must not lose a fake backend that is well.
QUICK = GatewaySettings(timeout=20.0, health_period=0.05, health_timeout=10.0, linger=0.2)
Behaviour = Callable[["FakeBackend", web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


def event(text: str, **more: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "text": text}], **more}).encode() + b"\n\n"


USAGE = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\n'
DONE = b"data: [DONE]\n\n"


async def stream_of(http: web.Request, *chunks: bytes, pause: float = 0.0) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(http)
    for chunk in chunks:
        await response.write(chunk)
        await asyncio.sleep(pause)
    return response


async def polite(fake: FakeBackend, http: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Answers at once as the API says."""
    if http.path == "/v1/embeddings":
        texts = len(lengths_of(body.get("input"), "input"))
        data = [{"object": "embedding", "index": i, "embedding": [0.5, 0.25]} for i in range(texts)]
        return web.json_response({"object": "list", "data": data, "usage": {"prompt_tokens": 2}})
    if body.get("stream"):
        return await stream_of(http, event("a"), event("b"), USAGE, DONE)
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    return web.json_response({"choices": [{"index": 0, "text": "ab"}], "usage": usage})


async def slow(fake: FakeBackend, http: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Streams for a fifth of a second."""
    return await stream_of(http, *(event("a") for _ in range(4)), DONE, pause=0.04)


async def hanging(fake: FakeBackend, http: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Says nothing until it is hung up on."""
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        fake.aborted += 1
        raise
    raise AssertionError


def failing(status: int, times: int = 10**9) -> Behaviour:
    """Answers with that status, in HTML, for the first so many requests."""

    async def answer(fake: FakeBackend, http: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if len(fake.bodies) <= times:
            return web.Response(status=status, text="<h1>secret</h1>", content_type="text/html")
        return await polite(fake, http, body)

    return answer


async def dying(fake: FakeBackend, http: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Loses the connection after the first token."""
    response = await stream_of(http, event("a"))
    assert http.transport is not None
    http.transport.close()
    return response


async def mute(fake: FakeBackend, http: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Loses the connection before it has said anything."""
    assert http.transport is not None
    http.transport.close()
    return web.Response()


class FakeBackend:
    """Behaves as told, and remembers what it was asked."""

    def __init__(self, behaviour: Behaviour = polite, *, alive: bool = True) -> None:
        self.behaviour = behaviour
        self.alive = alive
        self.bodies: list[dict[str, Any]] = []
        self.aborted = 0
        self.url = "http://127.0.0.1:9"

    async def answer(self, http: web.Request) -> web.StreamResponse:
        body = await http.json()
        self.bodies.append(body)
        return await self.behaviour(self, http, body)

    async def health(self, http: web.Request) -> web.Response:
        return web.Response(status=200 if self.alive else 503)

    async def models(self, http: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "their-name"}]})

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/{route:.*}", self.answer)
        app.router.add_get("/health", self.health)
        app.router.add_get("/v1/models", self.models)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        bound = listening("127.0.0.1", 0)
        await web.SockSite(runner, bound, backlog=1024).start()
        self.url = url_of(bound)
        return runner


class Refusing(FakeBackend):
    """Nothing listens at its address."""

    async def start(self) -> web.AppRunner:
        with listening("127.0.0.1", 0) as bound:
            self.url = url_of(bound)
        runner = web.AppRunner(web.Application())
        await runner.setup()
        return runner


@dataclass
class Live:
    """A gateway at work, and a client."""

    url: str
    gateway: Gateway
    client: aiohttp.ClientSession
    server: web.Server

    @property
    def ended(self) -> list[Request]:
        return list(self.gateway.driver.ended)

    @property
    def outcomes(self) -> list[str]:
        return [request.outcome.value for request in self.ended if request.outcome]

    def post(self, route: str = "completions", **body: Any) -> Any:
        headers = {key: str(value) for key, value in body.pop("headers", {}).items()}
        if route == "completions":
            body.setdefault("prompt", "abcdefgh")
        return self.client.post(f"{self.url}/v1/{route}", json=body, headers=headers)

    async def all_settled(self) -> None:
        """Every request has its outcome, and the books are right."""
        for _ in range(200):
            if not self.gateway.driver.outstanding:
                break
            await asyncio.sleep(0.01)
        driver = self.gateway.driver
        driver.check_integrity()
        assert driver.outstanding == 0
        assert driver.arrived == len(self.ended) == len({id(request) for request in self.ended})
        assert driver.plane.waiting == self.gateway.held.size == 0
        assert all(backend.state.in_flight == 0 for backend in self.gateway.backends)

    async def until_connections(self, count: int) -> None:
        """Wait until clients hold that many connections to the gateway."""
        async with asyncio.timeout(5):
            while len(self.server.connections) != count:
                await asyncio.sleep(0.01)

    async def until_healthy(self, count: int) -> None:
        for _ in range(300):
            if sum(backend.healthy for backend in self.gateway.backends) == count:
                return
            await asyncio.sleep(0.01)
        raise AssertionError([backend.healthy for backend in self.gateway.backends])


@asynccontextmanager
async def live(
    llm: list[FakeBackend],
    embedding: list[FakeBackend] | None = None,
    settings: GatewaySettings = QUICK,
    engine: dict[str, Any] | None = None,
    **plane: Any,
) -> AsyncIterator[Live]:
    """A gateway in front of them, with that control plane."""
    embedding = [FakeBackend()] if embedding is None else embedding
    backends = {
        "llm": {"kind": "llm", "profile": "test", "count": len(llm), "engine": engine or {}},
        "embedding": {"kind": "embedding", "profile": "test", "count": len(embedding)},
    }
    document = scenario(streams=STREAMS, backends=backends, control_plane=plane)
    async with AsyncExitStack() as stack:
        for fake in [*llm, *embedding]:
            stack.push_async_callback((await fake.start()).cleanup)
        names = [place.name for place in live_places(document)]
        addresses = {
            name: Address(fake.url, "model") for name, fake in zip(names, [*llm, *embedding], strict=True)
        }
        gateway = gateway_of(document, {"test": profile()}, addresses, settings)
        bound = listening("127.0.0.1", 0)
        runner = await start(gateway, bound)
        stack.push_async_callback(runner.cleanup)
        assert runner.server is not None
        connector = aiohttp.TCPConnector(limit=0)
        client = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        yield Live(url_of(bound), gateway, client, runner.server)


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test in a steady event loop, for half a minute of its waiting at most."""

    async def limited() -> None:
        async with asyncio.timeout(30):
            await test

    run_steadily(limited())


async def anext_of(posted: Any) -> None:
    async with posted as response:
        await response.read()


def posted(content: bytes, *headers: str, route: str = "completions", encoding: str = "") -> bytes:
    """A request as it goes over the wire."""
    unpacked = (f"Content-Encoding: {encoding}",) if encoding else ()
    given = ("Host: localhost", "Content-Type: application/json", f"Content-Length: {len(content)}")
    return "\r\n".join([f"POST /v1/{route} HTTP/1.1", *given, *unpacked, *headers, "", ""]).encode() + content


@asynccontextmanager
async def wire(
    url: str, sent: bytes, limit: int = 1 << 20
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which those bytes were sent."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=limit)
    writer.write(sent)
    try:
        yield reader, writer
    finally:
        writer.close()


async def heard(url: str, sent: bytes, *, half_close: bool = False) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the answer to those bytes, which is in HTTP/1.1."""
    async with wire(url, sent) as (reader, writer):
        if half_close:
            writer.write_eof()
        while (head := (await reader.readuntil(b"\r\n\r\n")).decode().splitlines())[0][9:12] == "100":
            pass
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        assert head[0].startswith("HTTP/1.1 ")
        assert fields["content-type"].startswith("application/json")
        content = await reader.readexactly(int(fields["content-length"]))
    return int(head[0].split()[1]), json.loads(content)


async def error_of(response: aiohttp.ClientResponse) -> tuple[int, str]:
    """Status and type of an OpenAI-style error."""
    assert response.content_type == "application/json"
    error = (await response.json())["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert "<" not in error["message"]
    return response.status, error["type"]
