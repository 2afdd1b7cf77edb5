"""A backend that does no work: what is measured in front of it is the gateway. ``gateway_stub PORT``.

It streams as many tokens as a completion asks for, one write each, ``pause_s`` seconds apart (a field of the
body that the OpenAI API does not have; 0 where it is missing), and answers embeddings with one vector.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aiohttp import web

from calibration.backends.server import ListeningProcess, free_port
from validate.gateway.serve import allow_many_connections, listening

DIMENSIONS = 384
VECTOR = {"object": "embedding", "index": 0, "embedding": [0.0123456] * DIMENSIONS}
EMBEDDING = json.dumps({"object": "list", "model": "model", "data": [VECTOR], "usage": {"prompt_tokens": 64}})
BACKLOG = 4096


class StubProcess(ListeningProcess):
    """The stub on a free local port, on those cores."""

    what = "the stub"

    def __init__(self, cores: frozenset[int], log: Any) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__("benchmarks.gateway_stub", [str(port)], cores=cores, env={}, log=log)


def event(choices: list[dict[str, Any]], usage: dict[str, int] | None) -> bytes:
    """A piece of a stream with the fields that vLLM's have."""
    said = {"id": "cmpl-0", "object": "text_completion", "created": 0, "model": "model"}
    return b"data: " + json.dumps(said | {"choices": choices, "usage": usage}).encode() + b"\n\n"


CHOICE = {"index": 0, "text": " word", "logprobs": None, "finish_reason": None, "stop_reason": None}
TOKEN = event([CHOICE], None)


async def complete(http: web.Request) -> web.StreamResponse:
    """``max_tokens`` events, then the counts and the end mark."""
    body = await http.json()
    tokens, pause = int(body["max_tokens"]), float(body.get("pause_s", 0.0))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(http)
    for _ in range(tokens):
        await response.write(TOKEN)
        await asyncio.sleep(pause)
    usage = {"prompt_tokens": len(body["prompt"]), "completion_tokens": tokens}
    await response.write(event([], usage) + b"data: [DONE]\n\n")
    return response


async def embed(http: web.Request) -> web.Response:
    """One vector, whatever was asked."""
    await http.read()
    return web.Response(text=EMBEDDING, content_type="application/json")


async def health(http: web.Request) -> web.Response:
    """Always well."""
    return web.Response()


def main() -> None:
    """Serve until the process is ended."""
    app = web.Application()
    app.router.add_post("/v1/completions", complete)
    app.router.add_post("/v1/embeddings", embed)
    app.router.add_get("/health", health)
    allow_many_connections()
    bound = listening("127.0.0.1", int(sys.argv[1]))
    web.run_app(app, sock=bound, backlog=BACKLOG, access_log=None, print=None)


if __name__ == "__main__":
    main()
