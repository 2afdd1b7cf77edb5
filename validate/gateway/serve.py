"""serve: runs a gateway until it is told to end."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
from collections.abc import Callable

from aiohttp import web

from validate.gateway.app import make_app
from validate.gateway.connection import BACKLOG, Site
from validate.gateway.gateway import Gateway
from validate.gateway.reply import GRACE


def listening(host: str, port: int) -> socket.socket:
    """A socket that is bound already, so that a taken port is known before any backend starts.

    Port 0 is any free one. Raises OSError.
    """
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def url_of(bound: socket.socket) -> str:
    """Where clients find it."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def allow_many_connections() -> None:
    """Two descriptors a stream: raise the process's limit as far as the system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def start(gateway: Gateway, bound: socket.socket) -> web.AppRunner:
    """Serve on that socket until the runner's ``cleanup``."""
    last = gateway.settings.linger + 2 * GRACE
    runner = web.AppRunner(
        make_app(gateway), handler_cancellation=True, access_log=None, shutdown_timeout=last
    )
    await runner.setup()
    await Site(runner, bound, gateway).start()
    return runner


async def serve(make: Callable[[], Gateway], bound: socket.socket, ready: Callable[[str], None]) -> Gateway:
    """Serve until SIGINT or SIGTERM; the gateway as it ended.

    ``make`` is called with the loop running, whose time becomes the gateway's; ``ready`` is told the URL.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    gateway = make()
    runner = await start(gateway, bound)
    try:
        ready(url_of(bound))
        await ended.wait()
    finally:
        await runner.cleanup()
    return gateway
