"""Clients that do not read: nothing leaves after the outcome, and no connection is held for them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from aiohttp import web

from tests.unit.gateway_support import DONE, QUICK, FakeBackend, event, live, posted, run, stream_of, wire

LONG = 24 << 20
"""Bytes of an answer; the kernel's buffers on both ends hold some ten million."""


async def long(fake, http, body):
    """An answer that no buffer holds."""
    if body.get("stream"):
        return await stream_of(http, *[event("a" * (1 << 19))] * (LONG >> 19), DONE)
    return web.json_response({"choices": [{"index": 0, "text": "a" * LONG}]})


async def rest(reader: asyncio.StreamReader) -> int:
    """Bytes that come until the connection ends."""
    count = 0
    try:
        while piece := await reader.read(1 << 20):
            count += len(piece)
    except ConnectionError:
        pass
    return count


@pytest.mark.parametrize("stream", [True, False])
def test_after_a_timeout_nothing_leaves_any_more(stream: bool):
    async def test() -> None:
        async with live([FakeBackend(long)], settings=replace(QUICK, timeout=0.3)) as gateway:
            sent = posted(json.dumps({"prompt": "a", "stream": stream}).encode())
            async with wire(gateway.url, sent, limit=1024) as (reader, _):
                while not gateway.ended:
                    await asyncio.sleep(0.01)
                assert gateway.outcomes == ["timed_out"]
                assert await rest(reader) < LONG * 3 // 4
            await gateway.all_settled()

    run(test())


def test_who_reads_nothing_is_hung_up_on_also_where_no_request_times_out():
    async def test() -> None:
        async with live([FakeBackend()], settings=replace(QUICK, send_timeout=0.1)) as gateway:
            described = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
            async with wire(gateway.url, described * 4000, limit=1024):
                await gateway.until_connections(1)
                await gateway.until_connections(0)
            async with gateway.post() as response:
                assert response.status == 200

    run(test())
