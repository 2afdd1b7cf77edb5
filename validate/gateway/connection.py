"""Connection: one client's connection, and the site that makes them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import HttpVersion11, web
from aiohttp.web_protocol import ERROR

from validate.gateway.app import answered
from validate.gateway.errors import error_response
from validate.gateway.settings import GatewaySettings

NOT_HTTP = "this is no HTTP request that can be understood, or its headers are too many or too long"


class Connection(web.RequestHandler):
    """aiohttp's, whose own errors are in the API's form and say nothing of the inside.

    A client that takes nothing for ``send_timeout`` seconds, though something waits for it, is hung up on.
    """

    __slots__ = ("_send_timeout", "_stuck")

    def __init__(
        self, of_all: web.Server, loop: asyncio.AbstractEventLoop, settings: GatewaySettings
    ) -> None:
        super().__init__(of_all, loop=loop)
        self._send_timeout = settings.send_timeout
        self._stuck: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """The client is behind."""
        super().pause_writing()
        assert self.transport is not None
        self._stuck = asyncio.get_running_loop().call_later(self._send_timeout, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken most of what waited."""
        super().resume_writing()
        self._relieved()

    def connection_lost(self, exc: BaseException | None) -> None:
        """It has gone."""
        super().connection_lost(exc)
        self._relieved()

    def _relieved(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what the parser refuses, and to a defect of the gateway, which is logged."""
        if status >= 500:
            self.log_exception("The gateway failed at %s", request.path, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        response = error_response(status, "the gateway failed" if status >= 500 else NOT_HTTP)
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log a defect; what a client sent that cannot be unpacked was answered, and is none."""
        if not isinstance(kw.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kw)


class Site(web.BaseSite):
    """Listens on a bound socket and makes a `Connection` of each that comes."""

    def __init__(
        self, runner: web.AppRunner, bound: socket.socket, backlog: int, settings: GatewaySettings
    ) -> None:
        super().__init__(runner, backlog=backlog)
        self._settings = settings
        assert runner.server is not None
        self._bound = bound
        self._of_all = runner.server
        self._of_all.request_handler = partial(answered, self._of_all.request_handler)
        self._of_all.request_factory = in_http_11(self._of_all.request_factory)

    @property
    def name(self) -> str:
        """Where it listens."""
        return str(self._bound.getsockname())

    async def start(self) -> None:
        """Accept connections from now on."""
        await super().start()
        loop = asyncio.get_running_loop()
        make = partial(Connection, self._of_all, loop, self._settings)
        self._server = await loop.create_server(make, sock=self._bound, backlog=self._backlog)


def in_http_11(make: Callable[..., web.BaseRequest]) -> Callable[..., web.BaseRequest]:
    """aiohttp's factory of requests; what its parser refused is answered in HTTP/1.1 and not in 1.0."""
    refused = ERROR._replace(version=HttpVersion11)

    def request(message: Any, *rest: Any) -> web.BaseRequest:
        return make(refused if message is ERROR else message, *rest)

    return request
