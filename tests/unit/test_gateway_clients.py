"""Clients that hang up, or send what cannot be understood: one outcome each, nothing left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from tests.unit.gateway_support import (
    DONE,
    QUICK,
    FakeBackend,
    anext_of,
    error_of,
    event,
    hanging,
    live,
    run,
    stream_of,
)

JSON = {"Content-Type": "application/json"}


def test_a_client_that_hangs_up_ends_its_request_on_the_backend_and_frees_its_place():
    async def test() -> None:
        fake = FakeBackend(hanging)
        async with live([fake], max_in_flight=1) as gateway:
            held = asyncio.create_task(anext_of(gateway.post()))
            await asyncio.sleep(0.05)
            waiting = asyncio.create_task(anext_of(gateway.post()))
            await asyncio.sleep(0.05)
            assert gateway.gateway.driver.plane.waiting == 1
            waiting.cancel()
            await asyncio.sleep(0.05)
            assert gateway.gateway.driver.plane.waiting == 0
            held.cancel()
            await gateway.all_settled()
            assert gateway.outcomes == ["cancelled"] * 2
            await asyncio.sleep(0.05)
            assert fake.aborted == len(fake.bodies) == 1

    run(test())


def test_a_client_that_leaves_in_a_stream_is_cancelled():
    async def test() -> None:
        async def chatty(fake, http, body):
            try:
                return await stream_of(http, *(event("a") for _ in range(1000)), pause=0.01)
            except (asyncio.CancelledError, OSError):
                fake.aborted += 1
                raise

        fake = FakeBackend(chatty)
        async with live([fake]) as gateway:
            async with gateway.post(stream=True) as response:
                for _ in range(6):
                    await response.content.readline()
                response.close()
            await gateway.all_settled()
            assert gateway.outcomes == ["cancelled"]
            assert 3 <= gateway.ended[0].generated_tokens < 1000
            await asyncio.sleep(0.05)
            assert fake.aborted == 1

    run(test())


def test_a_client_that_leaves_at_the_end_mark_has_its_answer():
    async def test() -> None:
        async def lingering(fake, http, body):
            return await stream_of(http, event("a") + DONE, pause=0.2)

        async with live([FakeBackend(lingering)]) as gateway:
            async with gateway.post(stream=True) as response:
                assert (await response.content.readany()).endswith(DONE)
                response.close()
            await asyncio.sleep(0.3)
            await gateway.all_settled()
            assert gateway.outcomes == ["completed"]

    run(test())


@pytest.mark.parametrize(
    ("route", "body", "headers", "status"),
    [
        ("completions", {"prompt": {}}, {}, 400),
        ("completions", {"prompt": []}, {}, 400),
        ("completions", {"prompt": [1, "a"]}, {}, 400),
        ("completions", {"prompt": "a", "max_tokens": -1}, {}, 400),
        ("completions", {"prompt": "a", "stream": "yes"}, {}, 400),
        ("completions", {"prompt": "a", "priority": "high"}, {}, 400),
        ("completions", {"prompt": "a", "model": "<script>"}, {}, 404),
        ("completions", {"prompt": "a", "model": ["test"]}, {}, 404),
        ("completions", {"prompt": "a", "model": {"a": 1}}, {}, 404),
        ("completions", {"prompt": "a"}, {"X-Simsage-Priority": "urgent"}, 400),
        ("completions", {"prompt": "a"}, {"X-Simsage-Kind": "embedding"}, 400),
        ("completions", {"prompt": "a"}, {"X-Simsage-Deadline-Ms": "nan"}, 400),
        ("completions", {"prompt": "a"}, {"X-Simsage-Prefix-Group": "0" * 5000}, 400),
        ("completions", {"prompt": "a"}, {"X-Simsage-Tenant": "x" * 101}, 400),
        ("completions", {"prompt": "a", "max_tokens": 10**400}, {}, 400),
        ("completions", {"prompt": "a", "n": 10_000_001}, {}, 400),
        ("chat/completions", {"messages": [{"content": "a"}], "max_completion_tokens": 1e9}, {}, 400),
        ("chat/completions", {"messages": [1]}, {}, 400),
        ("chat/completions", {}, {}, 400),
        ("embeddings", {"input": [[]]}, {}, 400),
        ("nothing", {}, {}, 404),
    ],
)
def test_what_cannot_be_understood_is_refused_and_reaches_nobody(route, body, headers, status):
    async def test() -> None:
        fake = FakeBackend()
        async with live([fake]) as gateway:
            async with gateway.post(route, **({"headers": headers} | body)) as response:
                assert response.status == status
                assert response.content_type == "application/json"
                assert "error" in await response.json()
            assert (fake.bodies, gateway.ended) == ([], [])

    run(test())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[" * 100_000, b"\xff"])
def test_a_body_that_is_not_an_object_is_refused(content: bytes):
    async def test() -> None:
        async with live([FakeBackend()]) as gateway:
            response = await gateway.client.post(f"{gateway.url}/v1/completions", data=content, headers=JSON)
            assert (await error_of(response))[0] == 400

    run(test())


def test_a_large_body_is_refused():
    async def test() -> None:
        async with live([FakeBackend()], settings=replace(QUICK, max_request=1000)) as gateway:
            response = await gateway.post(prompt="a" * 2000)
            assert (await error_of(response))[0] == 413

    run(test())


def test_a_body_that_does_not_come_is_not_waited_for():
    async def test() -> None:
        fake = FakeBackend()
        async with live([fake], settings=replace(QUICK, receive_timeout=0.2)) as gateway:
            never = asyncio.Event()

            async def trickle() -> AsyncIterator[bytes]:
                yield b'{"prompt": '
                await never.wait()

            response = await gateway.client.post(
                f"{gateway.url}/v1/completions", data=trickle(), headers=JSON
            )
            assert await error_of(response) == (408, "timeout_error")
            assert (fake.bodies, gateway.ended) == ([], [])

    run(test())


def test_headers_without_end_are_refused():
    async def test() -> None:
        async with live([FakeBackend()]) as gateway:
            for headers in ({"X-Simsage-Tenant": "x" * 100_000}, {f"X-{i}": "x" * 1000 for i in range(1000)}):
                try:
                    async with gateway.post(headers=headers) as response:
                        assert response.status == 400
                except aiohttp.ClientConnectionError:
                    pass  # Hung up on before all was sent.
            assert gateway.ended == []
            async with gateway.post() as response:
                assert response.status == 200

    run(test())
