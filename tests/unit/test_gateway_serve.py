"""simsage serve, in front of servers that run already: from its start to Ctrl-C."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from base64 import b64encode
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner

from calibration.errors import BackendFailed
from simsage.cli import main
from tests.unit.gateway_support import DONE, FakeBackend, event, live, polite, posted, run, stream_of, wire
from tests.unit.simsage_support import write_scenario
from validate.backends.launch import asked_models
from validate.gateway.serve import listening, url_of


async def serve(*args: object) -> tuple[asyncio.subprocess.Process, str]:
    """The command in a process, and the URL that it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simsage", "serve", *map(str, args)), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    while line := (await process.stderr.readline()).decode():
        if found := re.search(r"serving noisy at (\S+)/v1; Ctrl-C ends", line):
            return process, found[1]
    raise AssertionError("it ended")


def test_it_serves_until_ctrl_c_and_says_what_became_of_all(tmp_path: Path):
    async def test() -> None:
        scenario, llm, embedding = write_scenario(tmp_path), FakeBackend(), FakeBackend()
        runners = [await fake.start() for fake in (llm, embedding)]
        urls = ["--llm-url", f"{llm.url}/v1", "--embedding-url", embedding.url + "/"]
        process, url = await serve(scenario, "--variant", "isolated", "--port", 0, *urls)
        async with aiohttp.ClientSession() as client:
            for route, body in (("completions", {"prompt": "a"}), ("embeddings", {"input": "a"})):
                async with client.post(f"{url}/v1/{route}", json=body) as response:
                    assert response.status == 200
        assert [fake.bodies[0]["model"] for fake in (llm, embedding)] == ["their-name"] * 2
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
        assert errors.decode() == "Ended. Requests: 2 completed.\n"
        assert process.returncode == 0
        for runner in runners:
            await runner.cleanup()

    run(test())


def test_what_is_under_way_at_the_end_is_ended_in_order():
    async def test() -> None:
        async def last(fake, http, body):
            """Answers within what is left of the time, or streams beyond it."""
            if body.get("stream"):
                return await stream_of(http, *[event("a")] * 100, DONE, pause=0.05)
            await asyncio.sleep(0.15 if body["prompt"] == "last" else 30.0)
            return await polite(fake, http, body)

        fake = FakeBackend(last)
        async with aiohttp.ClientSession() as client, AsyncExitStack() as body:

            async def ask(url: str, **fields: object) -> tuple[int, str | None, bytes]:
                async with client.post(f"{url}/v1/completions", json=fields) as response:
                    return response.status, response.headers.get("Retry-After"), await response.read()

            async with live([fake], max_in_flight=3) as gateway:
                asked = [
                    asyncio.create_task(ask(gateway.url, **fields))
                    for fields in (
                        {"prompt": "last"},
                        {"prompt": "a", "stream": True},
                        {"prompt": "b"},
                        {"prompt": "c"},
                    )
                ]
                reader, _ = await body.enter_async_context(wire(gateway.url, posted(b"{}")[:-1]))
                while gateway.gateway.driver.outstanding < 4 or len(fake.bodies) < 3:
                    await asyncio.sleep(0.01)
            answered, streamed, held, waited = await asyncio.gather(*asked)
            assert (answered[0], streamed[0]) == (200, 200)
            assert b'"the gateway is being stopped"' in streamed[2]
            assert held[:2] == waited[:2] == (503, "1")
            assert (await reader.read()).startswith(b"HTTP/1.1 503")
        gateway.gateway.driver.check_integrity()
        assert Counter(gateway.outcomes) == {"completed": 1, "unfinished": 3}

    run(test())


def test_bad_input_starts_nothing(tmp_path: Path):
    scenario = write_scenario(tmp_path)
    url = ["--llm-url", "http://127.0.0.1:9"]
    for args, said in (
        ([], "allowed: one of isolated, shared"),
        (["--variant", "isolatet"], "did you mean 'isolated'?"),
        (["--variant", "shared", *url, *url], "--llm-url: (whole file): found 2 of them; allowed: 1"),
        (
            ["--variant", "shared", "--llm-url", "http://us:er@h:99999"],
            "found 'http://h:99999'; allowed: http://",
        ),
        (
            ["--variant", "shared", "--llm-url", "http://h:1/\r\nX: 1"],
            "found 'http://h:1/\\r\\nX: 1'; allowed",
        ),
        (["--variant", "shared", "--llm-url", "file:///etc/passwd"], "--llm-url: (whole file): found 'file"),
        (["--variant", "shared", "--set", "backends.llm.profile=nowhere.json"], "nowhere.json"),
    ):
        done = CliRunner().invoke(main, ["serve", str(scenario), "--port", "0", *args])
        assert done.exit_code == 2
        assert said in done.stderr
        assert "us:er" not in done.stderr


def test_a_password_is_sent_and_never_shown(tmp_path: Path):
    async def test() -> None:
        wanted = "Basic " + b64encode(b"us:pass word").decode()
        asked = []

        class Locked(FakeBackend):
            async def models(self, http: web.Request) -> web.Response:
                asked.append(http.headers.get("Authorization"))
                return await super().models(http)

            async def answer(self, http: web.Request) -> web.StreamResponse:
                asked.append(http.headers.get("Authorization"))
                return await super().answer(http)

        locked, open_to_all = Locked(), FakeBackend()
        runners = [await fake.start() for fake in (locked, open_to_all)]
        url = locked.url.replace("://", "://us:pass%20word@")
        assert await asyncio.to_thread(asked_models, url) == ["their-name"]
        with pytest.raises(BackendFailed) as failed:
            await asyncio.to_thread(asked_models, url + "/nowhere")
        assert "pass" not in str(failed.value)
        async with live([locked]) as gateway:
            gateway.gateway.backends[0] = replace(gateway.gateway.backends[0], url=url)
            async with gateway.post(headers={"Authorization": "Bearer the client's"}) as response:
                assert response.status == 200
        assert asked == [wanted, wanted]
        for runner in runners:
            await runner.cleanup()

    run(test())


def test_a_taken_port_is_known_before_anything_starts(tmp_path: Path):
    with listening("127.0.0.1", 0) as taken:
        port = url_of(taken).rpartition(":")[2]
        args = ["serve", str(write_scenario(tmp_path)), "--variant", "shared", "--port", port]
        done = CliRunner().invoke(main, args)
    assert done.exit_code == 2
    assert "in use" in done.stderr


def test_backends_that_cannot_be_started_are_named(tmp_path: Path):
    args = ["serve", str(write_scenario(tmp_path)), "--variant", "shared", "--port", "0"]
    done = CliRunner().invoke(main, [*args, "--embedding-url", "http://127.0.0.1:9"])
    assert done.exit_code == 1
    assert "llm cannot be started here" in done.stderr
