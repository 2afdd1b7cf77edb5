"""Connections have a limit and an end; who keeps one idle keeps nobody out."""

from __future__ import annotations

import asyncio
import logging
import resource
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from tests.unit.gateway_support import (
    QUICK,
    FakeBackend,
    anext_of,
    hanging,
    heard,
    live,
    polite,
    posted,
    run,
    wire,
)
from validate.gateway.connections import EACH, room_for_connections

ASKED = posted(b'{"prompt": "a"}')
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_idle_connections_make_room_and_a_full_house_says_so(caplog: pytest.LogCaptureFixture):
    async def test() -> None:
        async with live([FakeBackend(hanging)], settings=replace(QUICK, max_connections=5)) as gateway:
            async with AsyncExitStack() as held:
                for half in range(20):
                    await held.enter_async_context(wire(gateway.url, HEALTH[:half]))
                await gateway.until_connections(5)
                assert (await heard(gateway.url, HEALTH))[0] == 200
                assert len(gateway.gateway.connections) <= 5
            await gateway.until_connections(0)
            busy = [asyncio.create_task(anext_of(gateway.post())) for _ in range(5)]
            while gateway.gateway.driver.outstanding < 5:
                await asyncio.sleep(0.01)
            status, said = await heard(gateway.url, b"")
            assert (status, said["error"]["type"]) == (503, "server_error")
            for task in busy:
                task.cancel()
            await gateway.all_settled()
            assert (await heard(gateway.url, HEALTH))[0] == 200

    with caplog.at_level(logging.WARNING):
        run(test())
    assert len(caplog.records) == 1


def test_there_are_descriptors_for_all_connections():
    limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        assert 8 < room_for_connections() * EACH < 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def test_a_request_that_never_ends_its_headers_is_not_waited_for():
    async def test() -> None:
        async with live([FakeBackend()], settings=replace(QUICK, idle_timeout=0.2)) as gateway:
            async with wire(gateway.url, HEALTH[:-2]) as (reader, _), wire(gateway.url, b"") as (silent, _):
                assert await reader.read() == await silent.read() == b""
            async with wire(gateway.url, HEALTH + ASKED[:30]) as (reader, _):
                assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
            await gateway.until_connections(0)

    run(test())


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
def test_a_client_that_has_closed_its_half_has_its_answer(version: bytes):
    async def test() -> None:
        async def late(fake, http, body):
            await asyncio.sleep(0.05)
            return await polite(fake, http, body)

        async with live([FakeBackend(late)]) as gateway:
            async with wire(gateway.url, ASKED.replace(b"HTTP/1.1", version)) as (reader, writer):
                writer.write_eof()
                assert (await reader.read()).endswith(b"}")
            await gateway.all_settled()
            await gateway.until_connections(0)
            assert gateway.outcomes == ["completed"]

    run(test())
