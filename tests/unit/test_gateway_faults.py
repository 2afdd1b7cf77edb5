"""Backends that misbehave: one outcome each, an error that clients understand, nothing left."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import aiohttp
import pytest

from tests.unit.gateway_support import (
    DONE,
    QUICK,
    FakeBackend,
    Refusing,
    anext_of,
    dying,
    error_of,
    event,
    failing,
    hanging,
    live,
    mute,
    polite,
    run,
    slow,
    stream_of,
)
from validate.gateway.events import LONGEST_LINE


@pytest.mark.parametrize(
    "bad", [Refusing(), FakeBackend(failing(500)), FakeBackend(failing(429)), FakeBackend(mute)]
)
@pytest.mark.parametrize("stream", [True, False])
def test_another_backend_answers_for_one_that_fails_before_the_first_byte(bad: FakeBackend, stream: bool):
    async def test() -> None:
        settings = replace(QUICK, health_period=30.0)
        async with live([bad, FakeBackend()], settings=settings, routing="first_acceptable") as gateway:
            async with gateway.post(stream=stream) as response:
                assert response.status == 200
                assert await response.read()
            await gateway.all_settled()
            assert gateway.outcomes == ["completed"]
            assert gateway.ended[0].backend == 1

    run(test())


def test_retries_are_bounded():
    async def test() -> None:
        fake = FakeBackend(failing(503))
        async with live([fake]) as gateway:
            async with gateway.post() as response:
                assert await error_of(response) == (502, "server_error")
            await gateway.all_settled()
            assert gateway.outcomes == ["failed"]
            assert len(fake.bodies) == 1 + QUICK.retries

    run(test())


def test_a_backend_that_dies_in_a_stream_is_told_in_the_stream():
    async def test() -> None:
        fakes = [FakeBackend(dying), FakeBackend()]
        async with live(fakes, routing="first_acceptable") as gateway:
            async with gateway.post(stream=True) as response:
                said = await response.read()
            assert said.startswith(event("a"))
            assert b'"error"' in said
            assert not said.endswith(DONE)
            await gateway.all_settled()
            assert gateway.outcomes == ["failed"]
            assert fakes[1].bodies == []

    run(test())


def test_an_error_in_the_stream_is_a_failure_before_the_first_token_it_is_retried():
    async def test() -> None:
        oops = b'data: {"error": {"message": "oops"}}\n\n'

        async def late(fake, http, body):
            return await stream_of(http, event("a"), oops, DONE, pause=0.01)

        async def early(fake, http, body):
            return await stream_of(http, *([oops] if len(fake.bodies) == 1 else [event("a")]), DONE)

        async with live([FakeBackend(late)]) as gateway:
            async with gateway.post(stream=True) as response:
                await response.read()
            await gateway.all_settled()
            assert gateway.outcomes == ["failed"]
        async with live([FakeBackend(early)]) as gateway:
            async with gateway.post(stream=True) as response:
                assert await response.read() == event("a") + DONE
            await gateway.all_settled()
            assert gateway.outcomes == ["completed"]

    run(test())


def test_a_stream_without_its_end_mark_has_failed():
    async def test() -> None:
        async def short(fake, http, body):
            return await stream_of(http, event("a"))

        async with live([FakeBackend(short)]) as gateway:
            async with gateway.post(stream=True) as response:
                assert b'"error"' in await response.read()
            await gateway.all_settled()
            assert gateway.outcomes == ["failed"]

    run(test())


def test_a_line_without_end_is_cut_off():
    async def test() -> None:
        async def endless(fake, http, body):
            return await stream_of(http, event("a"), *(b"x" * 65536 for _ in range(10 * LONGEST_LINE >> 16)))

        async with live([FakeBackend(endless)]) as gateway:
            async with gateway.post(stream=True) as response:
                assert len(await response.read()) < 2 * LONGEST_LINE
            await gateway.all_settled()
            assert gateway.outcomes == ["failed"]

    run(test())


def test_a_hanging_backend_is_a_timeout_and_hung_up_on():
    async def test() -> None:
        fake = FakeBackend(hanging)
        async with live([fake], settings=replace(QUICK, timeout=0.2)) as gateway:
            async with gateway.post() as response:
                assert await error_of(response) == (504, "timeout_error")
            await gateway.all_settled()
            assert gateway.outcomes == ["timed_out"]
            await asyncio.sleep(0.05)
            assert fake.aborted == 1

    run(test())


def test_a_stream_of_the_scenario_has_its_own_timeout():
    async def test() -> None:
        settings = replace(QUICK, stream_timeouts={"hasty": 0.1})
        async with live([FakeBackend(slow)], settings=settings) as gateway:
            async with gateway.post(stream=True, headers={"X-Simsage-Stream": "hasty"}) as response:
                assert b'"timeout_error"' in await response.read()
            async with gateway.post(stream=True) as response:
                assert (await response.read()).endswith(DONE)
            await gateway.all_settled()
            assert gateway.outcomes == ["timed_out", "completed"]

    run(test())


def test_admission_refuses_with_429():
    async def test() -> None:
        admission = {"policy": "token_bucket", "rate": 0.001, "burst": 1}
        async with live([FakeBackend()], admission=admission) as gateway:
            async with gateway.post() as response:
                assert response.status == 200
            async with gateway.post() as response:
                assert await error_of(response) == (429, "rate_limit_error")
                assert response.headers["Retry-After"] == "1"
            await gateway.all_settled()
            assert gateway.outcomes == ["completed", "rejected"]

    run(test())


def test_what_the_backend_says_of_a_bad_request_passes_but_never_as_html():
    async def test() -> None:
        async def strict(fake, http, body):
            from aiohttp import web

            return web.json_response({"error": {"message": "too long"}}, status=400)

        async def wordy(fake, http, body):
            from aiohttp import web

            return web.json_response({"error": {"message": "no: " + "x" * 100_000}}, status=400)

        refused = "the backend refused the request"
        for behaviour, message in ((strict, "too long"), (failing(404), refused), (wordy, refused)):
            fake = FakeBackend(behaviour)
            async with live([fake]) as gateway:
                async with gateway.post() as response:
                    assert response.status in (400, 404)
                    assert response.content_type == "application/json"
                    assert (await response.json())["error"]["message"] == message
                await gateway.all_settled()
                assert gateway.outcomes == ["failed"]
                assert len(fake.bodies) == 1

    run(test())


def test_unhealthy_backends_get_nothing_and_requests_wait_for_their_recovery():
    async def test() -> None:
        fake, other = FakeBackend(alive=False), FakeBackend(alive=False)
        async with live([fake, other]) as gateway:
            await gateway.until_healthy(1)
            async with gateway.client.get(f"{gateway.url}/health") as response:
                assert response.status == 503
            waiting = asyncio.create_task(anext_of(gateway.post()))
            await asyncio.sleep(0.1)
            assert gateway.gateway.driver.plane.waiting == 1
            other.alive = True
            await waiting
            assert (len(fake.bodies), len(other.bodies)) == (0, 1)
            await gateway.all_settled()

    run(test())


def test_a_storm_of_faults_loses_and_doubles_nothing():
    async def test() -> None:
        behaviours = [slow, dying, mute, failing(500, times=5)]
        fakes = [FakeBackend(behaviour) for behaviour in behaviours]
        settings = replace(QUICK, timeout=2.0, retries=3)
        async with live(fakes, settings=settings, max_in_flight=4, ordering="ageing_priority") as gateway:

            async def one(number: int) -> None:
                try:
                    async with asyncio.timeout(0.15 if number % 5 == 0 else 10.0):
                        async with gateway.post(stream=number % 2 == 0, priority=number % 5) as response:
                            await response.read()
                except (TimeoutError, aiohttp.ClientError):
                    return

            await asyncio.gather(*(one(number) for number in range(120)))
            await gateway.all_settled()
            counts = Counter(gateway.outcomes)
            assert counts.total() == gateway.gateway.driver.arrived <= 120
            assert counts["completed"] > 10
            assert counts["unfinished"] == 0

    run(test())


def test_backends_that_flap_lose_nothing():
    async def test() -> None:
        fakes = [FakeBackend(failing(500, times=5)), FakeBackend(mute), FakeBackend(), FakeBackend()]
        settings = replace(QUICK, health_period=0.01, retries=100)
        async with live(fakes, settings=settings, routing="round_robin") as gateway:

            async def flap() -> None:
                for turn in range(60):
                    for place, fake in enumerate(fakes):
                        fake.alive = (turn + place) % 3 > 0
                    fakes[1].behaviour = mute if turn % 2 else polite
                    await asyncio.sleep(0.01)
                for fake in fakes:
                    fake.alive, fake.behaviour = True, polite

            flapping = asyncio.create_task(flap())
            for stream in [True, False] * 30:
                async with gateway.post(stream=stream) as response:
                    assert response.status == 200
                    await response.read()
            await flapping
            await gateway.all_settled()
            assert gateway.outcomes == ["completed"] * 60

    run(test())
