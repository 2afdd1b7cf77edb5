"""echo_worker: an aiohttp server that sends JSON back. Needs aiohttp; run by `Worker`."""

from __future__ import annotations

import asyncio
import threading

from aiohttp import web

from calibration.backends.answering import Answerer, serve
from calibration.backends.server import free_port
from calibration.backends.worker import Message


async def echo(request: web.Request) -> web.Response:
    """Parse the body and send it back."""
    return web.json_response(await request.json())


async def _listen(port: int, listening: threading.Event) -> None:
    application = web.Application()
    application.router.add_post("/", echo)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    listening.set()
    await asyncio.Event().wait()


def build(settings: Message) -> tuple[Message, Answerer]:
    """Serve beside the thread that waits for questions, of which there are none; says its ``url``."""
    port, listening = free_port(), threading.Event()
    threading.Thread(target=lambda: asyncio.run(_listen(port, listening)), daemon=True).start()
    if not listening.wait(30.0):
        raise TimeoutError(f"no server on port {port} within 30 s")
    return {"url": f"http://127.0.0.1:{port}/"}, lambda question: {}


if __name__ == "__main__":
    serve(build)
