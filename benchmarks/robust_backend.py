"""The gateway benchmark's stub, misbehaving as the ``attack`` of a body says. ``robust_backend PORT``."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from benchmarks.gateway_stub import BACKLOG, TOKEN, complete, embed, health
from calibration.backends.server import ListeningProcess, free_port
from validate.gateway.serve import allow_many_connections, listening

HUGE = b'{"choices": [{"text": "' + b"a" * (50 << 20) + b'"}]}'
SAYS = {
    "html": b"<h1>no</h1>",
    "null": b"null",
    "empty": b"",
    "error": b'{"error": {}, "object": "error"}',
    "huge": HUGE,
}
EVENTS = {"Content-Type": "text/event-stream"}


class HostileProcess(ListeningProcess):
    """This module in a process, on a free local port."""

    what = "the backend"

    def __init__(self, cores: frozenset[int], log: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__("benchmarks.robust_backend", [str(port)], cores=cores, env={}, log=log)


@contextlib.contextmanager
def hostile(cores: frozenset[int]) -> Iterator[str]:
    """The URL of one that is up."""
    with (
        TemporaryDirectory(prefix="simsage-hostile-") as work,
        HostileProcess(cores, Path(work) / "log") as process,
    ):
        process.wait_ready()
        yield process.url


async def answer(http: web.Request) -> web.StreamResponse:
    """The stub's answer, or what the attack is."""
    attack = (await http.json()).get("attack")
    if attack is None:
        return await complete(http)
    if attack in SAYS:
        return web.Response(body=SAYS[attack], content_type="application/json")
    if attack == "slow":
        await asyncio.sleep(60)
    kind = EVENTS if attack == "line" else {"Content-Type": "application/json"}
    response = web.StreamResponse(headers=kind)
    await response.prepare(http)
    await response.write(TOKEN if attack == "line" else b'{"a": "')
    while True:
        await response.write(b"a" * 65536)


def main() -> None:
    """Serve until the process is ended."""
    app = web.Application()
    app.router.add_post("/v1/completions", answer)
    app.router.add_post("/v1/embeddings", embed)
    app.router.add_get("/health", health)
    allow_many_connections()
    web.run_app(
        app, sock=listening("127.0.0.1", int(sys.argv[1])), backlog=BACKLOG, access_log=None, print=None
    )


if __name__ == "__main__":
    main()
