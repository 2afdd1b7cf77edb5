"""http_serving: what our own measured servers have in common."""

from __future__ import annotations

from functools import partial

from aiohttp import web


def serve(app: web.Application, port: int) -> None:
    """Answer on 127.0.0.1 until the process is ended; a client that hangs up cancels its handler."""
    app.router.add_get("/health", _health)
    listen = partial(web.run_app, app, host="127.0.0.1", port=port, access_log=None)
    listen(handler_cancellation=True, print=None, shutdown_timeout=0.5, backlog=4096)


async def _health(http: web.Request) -> web.Response:
    """That it has loaded."""
    return web.json_response({})
