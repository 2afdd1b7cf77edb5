"""What requests and answers may hold in memory: each, all together, and once they have ended."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from dataclasses import replace

import pytest
from aiohttp import web

from tests.unit.gateway_support import QUICK, FakeBackend, anext_of, error_of, hanging, live, polite, run
from validate.gateway.body import parsed_body
from validate.gateway.errors import BadRequest

SIZE = 4 << 20


@pytest.mark.parametrize("part", ["{}", "[]", '"b"', '{"c": 1}', "1"])
def test_a_body_of_small_parts_is_refused_before_it_is_parsed(part: str):
    parts = ",".join([part] * (SIZE // (len(part) + 1)))
    body = f'{{"input": [{parts}], "text": "\\"[[[{{{{{{,,,\\\\"}}'.encode()
    tracemalloc.start()
    with pytest.raises(BadRequest, match="over 65536 objects"):
        parsed_body(body)
    assert tracemalloc.get_traced_memory()[1] < 4 * SIZE
    tracemalloc.stop()


def test_a_large_body_of_few_parts_is_parsed_whatever_its_texts_say():
    body = {"input": ["{}" * SIZE, "\\" * 1000, '"' * 100_000, "," * SIZE], "ids": list(range(500_000))}
    assert parsed_body(json.dumps(body).encode()) == body


def test_texts_have_a_limit_and_are_forgotten():
    async def test() -> None:
        async with live([FakeBackend()]) as gateway:
            for count, status in ((2048, 200), (2049, 400)):
                async with gateway.post(
                    "embeddings", input=["", [1]] * (count // 2) + [""] * (count % 2)
                ) as response:
                    assert response.status == status
            async with gateway.post("embeddings", input=[1] * 5000) as response:
                assert response.status == 200
            await gateway.all_settled()
            assert [len(request.text_tokens) for request in gateway.ended] == [0, 0]
            assert [request.prompt_tokens for request in gateway.ended] == [2048, 5000]

    run(test())


def test_bodies_and_answers_have_a_limit_together():
    async def test() -> None:
        fake = FakeBackend(hanging)
        async with live([fake], settings=replace(QUICK, max_held=50_000, retries=0)) as gateway:
            first = asyncio.create_task(anext_of(gateway.post(prompt="a" * 40_000)))
            while not fake.bodies:
                await asyncio.sleep(0.01)
            async with gateway.post(prompt="a" * 20_000) as response:
                assert await error_of(response) == (503, "server_error")
                assert response.headers["Retry-After"]
            first.cancel()
            await gateway.all_settled()

            async def long(fake, http, body):
                return web.json_response({"choices": [{"text": "a" * 60_000}]})

            for fake.behaviour, status in ((long, 503), (polite, 200)):
                async with gateway.post(prompt="a" * 20_000) as response:
                    assert response.status == status
            await gateway.all_settled()
            assert gateway.outcomes == ["cancelled", "failed", "completed"]

    run(test())
