"""What a backend calls an answer and is none: the client never has it as one."""

from __future__ import annotations

import json
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from tests.unit.gateway_support import QUICK, FakeBackend, error_of, live, run

VECTOR = {"embedding": [0.5]}
NO_ANSWERS = {
    "completions": [
        *("", "null", "[]", "{}", "<h1>no</h1>", '{"choices": []}', '{"choices": [1]}', '{"choices": [NaN]}'),
        *('{"error": {"message": "no"}, "choices": [{"text": "a"}]}', '{"object": "error", "message": "no"}'),
        *("[" * 100_000, '{"choices": [{"text": "a"}]', '{"choices": [{"text": "a"}]}x'),
    ],
    "embeddings": [
        *(
            '{"choices": [{"text": "a"}]}',
            '{"data": []}',
            '{"data": [{"embedding": []}, {"embedding": [1]}]}',
        ),
        json.dumps({"data": [VECTOR]}),
        json.dumps({"data": [VECTOR] * 3}),
    ],
    "stream": [
        *("", "null", "data: [DONE]\n\n", "data: null\n\ndata: [DONE]\n\n", "data: <h1>\n\ndata: [DONE]\n\n"),
        'data: {"object": "error", "message": "no"}\n\ndata: [DONE]\n\n',
        'data: { "error": {"message": "no"}}\n\ndata: [DONE]\n\n',
    ],
}


@pytest.mark.parametrize("route", NO_ANSWERS)
def test_what_is_no_answer_is_the_backends_fault_whatever_it_is_called(route: str):
    async def test() -> None:
        content, kind = "", "text/event-stream" if route == "stream" else "application/json"

        async def answer(fake, http, body):
            return web.Response(text=content, content_type=kind)

        fakes = [FakeBackend(answer)]
        settings = replace(QUICK, retries=0, health_period=0.01)
        async with live(fakes, fakes, settings=settings) as gateway:

            async def ask() -> aiohttp.ClientResponse:
                if route == "embeddings":
                    return await gateway.post(route, input=["a", "b"])
                return await gateway.post(stream=route == "stream")

            for content in NO_ANSWERS[route]:
                assert await error_of(await ask()) == (502, "server_error"), content
            content = '{"choices": [{"text": "a"}], "data": [{"embedding": [1]}, {"embedding": "AA=="}]}'
            # A stream to who asked for none, and the other way round.
            other = {"stream": "application/json"}.get(route, "text/event-stream")
            for kind in ("text/html", other):  # noqa: B007
                assert (await ask()).status == 502
            await gateway.all_settled()
            assert set(gateway.outcomes) == {"failed"}

    run(test())
