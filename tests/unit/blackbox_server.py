"""A server that answers completions as it is told to, mostly against the protocol; it computes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from tests.unit.loop_thread import in_thread

Answer = Callable[[web.Request, dict[str, object]], Awaitable[web.StreamResponse]]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """The URL of a server whose ``/v1/completions`` is ``answer(request, body)``."""
    port = []

    async def handle(request: web.Request) -> web.StreamResponse:
        return await answer(request, await request.json())

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/completions", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port.append(runner.addresses[0][1])
        return runner

    with in_thread(start):
        yield f"http://127.0.0.1:{port[0]}"


def saying(*lines: bytes, pause: float = 0.0) -> Answer:
    """An answer of just these lines, the last after ``pause`` seconds."""

    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for line in lines[:-1]:
            await response.write(line + b"\n\n")
        await asyncio.sleep(pause)
        await response.write(lines[-1] + b"\n\n")
        return response

    return answer


def event(choices: object = (), **more: object) -> bytes:
    """An event of the stream as a line."""
    return b"data: " + json.dumps({"choices": choices, **more}).encode()


TOKEN = event([{"text": "ba"}])


def usage(prompt: object, completion: object) -> bytes:
    """The last event: no choice, and the counts."""
    return event(usage={"prompt_tokens": prompt, "completion_tokens": completion})
