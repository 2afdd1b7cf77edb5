"""The watch over a replay's servers: processes that are killed, stopped and restarted, and mere URLs."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from calibration.backends.server import ListeningProcess, free_port
from tests.live.processes import processes
from tests.unit.gateway_support import FakeBackend, run
from tests.unit.loop_thread import in_thread
from validate import watch
from validate.gateway.serve import listening, url_of
from validate.live.clock import Clock
from validate.watch import Incident, Watch, Watched

SERVE = "http.server"


class FileServer(ListeningProcess):
    """Answers ``/health`` as long as it lives."""

    def __init__(self, folder: Path, module: str = SERVE) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._arguments = [str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
        (folder / "health").touch()
        self._begin(module, folder / "log")

    def restart(self) -> None:
        self.stop()
        self._begin(SERVE, self.log)

    def _begin(self, module: str, log: Path) -> None:
        super().__init__(module, self._arguments, cores=os.sched_getaffinity(0), env={}, log=log)

    def strike(self, number: signal.Signals) -> None:
        (server,) = processes(Path(self._arguments[-1]), f"-m {SERVE}")
        os.kill(server, number)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PERIOD", 0.02)
    monkeypatch.setattr(watch, "PATIENCE", aiohttp.ClientTimeout(total=1.0))
    monkeypatch.setattr(watch, "LOOK", 0.02)


def told(incidents: list[Incident]) -> list[str]:
    return [one.what for one in incidents]


def watched(servers: list[Watched], story: Callable[[Callable[[int], Awaitable[None]]], Awaitable[None]]):
    """What was seen while the story went on, which can wait for a number of incidents; and what was lost."""
    found: list[Watch] = []

    async def test() -> None:
        async with aiohttp.ClientSession() as session:
            async with Watch(servers, Clock(), session) as seen:

                async def until(incidents: int) -> None:
                    while len(seen.incidents) < incidents:
                        await asyncio.sleep(0.01)

                await story(until)
            found.append(seen)

    run(test())
    assert [one.at for one in found[0].incidents] == sorted(one.at for one in found[0].incidents)
    return told(found[0].incidents), found[0].lost


def test_a_server_that_is_well_is_not_spoken_of(tmp_path: Path) -> None:
    with FileServer(tmp_path) as server:
        server.wait_ready(30)
        assert watched([Watched("it", f"{server.url}/health", server)], lambda until: asyncio.sleep(0.3)) == (
            [],
            [],
        )


def test_a_killed_process_is_told_once_and_lost(tmp_path: Path) -> None:
    with FileServer(tmp_path) as server:
        server.wait_ready(30)

        async def story(until: Callable[[int], Awaitable[None]]) -> None:
            server.strike(signal.SIGKILL)
            await until(1)
            await asyncio.sleep(0.3)

        assert watched([Watched("it", f"{server.url}/health", server)], story) == (
            ["it died (signal 9)"],
            ["it"],
        )


def test_one_that_is_dead_at_the_end_is_told_however_short_the_run(tmp_path: Path) -> None:
    with FileServer(tmp_path, "no_such_module") as server:
        server.process.wait(20)
        assert watched([Watched("it", f"{server.url}/health", server)], lambda until: asyncio.sleep(0)) == (
            ["it died (exit code 1)"],
            ["it"],
        )


def test_a_hung_process_is_told_and_so_is_its_return(tmp_path: Path) -> None:
    with FileServer(tmp_path) as server:
        server.wait_ready(30)

        async def story(until: Callable[[int], Awaitable[None]]) -> None:
            server.strike(signal.SIGSTOP)
            await until(1)
            server.strike(signal.SIGCONT)
            await until(2)

        assert watched([Watched("it", f"{server.url}/health", server)], story) == (
            ["it stopped answering its health check", "it answered again"],
            [],
        )


def test_one_that_still_hangs_at_the_end_is_lost(tmp_path: Path) -> None:
    with FileServer(tmp_path) as server:
        server.wait_ready(30)

        async def story(until: Callable[[int], Awaitable[None]]) -> None:
            server.strike(signal.SIGSTOP)
            await until(1)

        assert watched([Watched("it", f"{server.url}/health", server)], story)[1] == ["it"]
        server.strike(signal.SIGKILL)


def test_what_is_to_be_restarted_is_and_is_not_lost(tmp_path: Path) -> None:
    with FileServer(tmp_path) as server:
        server.wait_ready(30)

        async def story(until: Callable[[int], Awaitable[None]]) -> None:
            for strikes in (1, 2):
                server.strike(signal.SIGKILL)
                await until(2 * strikes)

        found = watched([Watched("it", f"{server.url}/health", server, server.restart)], story)
        once = ["it died (signal 9) and was restarted on the same port", "it answered again"]
        assert found == (once * 2, [])
    assert not processes(tmp_path)


def test_of_a_url_its_answers_are_all_there_is_to_see() -> None:
    bound = listening("127.0.0.1", 0)
    url, port = url_of(bound), bound.getsockname()[1]
    state = {"status": 200}

    async def health(http: web.Request) -> web.Response:
        return web.Response(status=state["status"])

    async def serving(socket: object) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/health", health)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, socket).start()  # type: ignore[arg-type]
        return runner

    async def story(until: Callable[[int], Awaitable[None]]) -> None:
        runner = await serving(bound)
        await asyncio.sleep(0.1)
        state["status"] = 500
        await until(1)
        state["status"] = 404
        await until(2)
        await runner.cleanup()
        await until(3)
        runner = await serving(listening("127.0.0.1", port))
        await until(4)
        await runner.cleanup()

    assert (
        watched([Watched("it", f"{url}/health")], story)[0][:4]
        == [
            "it stopped answering its health check",
            "it answered again",
        ]
        * 2
    )


def test_one_that_goes_away_after_its_last_check_is_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PERIOD", 60.0)
    fake = FakeBackend()

    async def story(until: Callable[[int], Awaitable[None]]) -> None:
        await asyncio.sleep(0.2)
        fake.alive = False

    with in_thread(fake.start):
        assert watched([Watched("it", f"{fake.url}/health")], story) == (
            ["it stopped answering its health check"],
            ["it"],
        )


def test_an_incident_says_when() -> None:
    assert str(Incident(12.34, "it died (signal 9)")) == "it died (signal 9) at 12.3 s"
