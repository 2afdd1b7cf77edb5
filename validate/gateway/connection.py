"""Connection: one client's connection, and the site that makes them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import HttpVersion11, web
from aiohttp.typedefs import Handler
from aiohttp.web_protocol import ERROR

from validate.gateway.app import answered
from validate.gateway.connections import Connections
from validate.gateway.errors import error_response, refusal
from validate.gateway.gateway import Gateway
from validate.gateway.settings import GatewaySettings

NOT_HTTP = "this is no HTTP request that can be understood, or its headers are too many or too long"
ANYBODY = b"HTTP/1.1 100 Continue\r\n\r\n"
"""Who still listens passes over it; the system of who does not answers it with a reset."""
NO_ROOM = refusal(503, "too many connections")
BACKLOG = 4096
"""Connections that may wait to be accepted: a burst of a thousand clients must not be refused."""
AT_ONCE = 8
SOON, SELDOM = 0.005, 1.0
"""Seconds until it is asked again, at first and at most."""


class Connection(web.RequestHandler):
    """aiohttp's, whose own errors are in the API's form and say nothing of the inside.

    A client that takes nothing for ``send_timeout`` seconds, though something waits for it, is hung up on.
    One that has said all that it will say, and so closed its own half, still gets its answer.
    """

    __slots__ = ("_asked", "_half_closed", "_looking", "_of_all", "_send_timeout", "_stuck")

    def __init__(self, server: web.Server, of_all: Connections, settings: GatewaySettings) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), keepalive_timeout=settings.idle_timeout)
        self._of_all = of_all
        self._send_timeout = settings.send_timeout
        self._stuck: asyncio.TimerHandle | None = None
        self._asked: web.BaseRequest | None = None
        self._half_closed = False
        self._looking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        super().connection_made(transport)
        if not self._of_all.admits(self):
            assert self.transport is not None
            self.transport.write(NO_ROOM)
            self.force_close()

    async def answer(self, handler: Handler, http: web.Request) -> web.StreamResponse:
        """The application's answer to a request on this connection."""
        self._asked = http
        self._of_all.busy(self)
        try:
            return await handler(http)
        finally:
            self._asked = None
            self._of_all.idle(self)
            if self._looking is not None:
                self._looking.cancel()
                self._look_again(SOON)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client has closed its half, or has gone, which looks the same until it is written to."""
        if not self._half_closed:
            self._half_closed = True
            self._look_again(SOON)
        return True

    def _look_again(self, seconds: float) -> None:
        self._looking = asyncio.get_running_loop().call_later(seconds, self._look, seconds)

    def _look(self, waited: float) -> None:
        """Close if there is nothing to answer; until the answer begins, see whether anybody listens."""
        http = self._asked
        if self.transport is None or http is None or not http.content.is_eof():
            self.force_close()
            return
        if http.writer.output_size == 0 and http.version >= HttpVersion11:
            self.transport.write(ANYBODY)
        self._look_again(min(2 * waited, SELDOM))

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
        self._of_all.leave(self)
        self._relieved()
        if self._looking is not None:
            self._looking.cancel()

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

    def __init__(self, runner: web.AppRunner, bound: socket.socket, gateway: Gateway) -> None:
        super().__init__(runner)
        assert runner.server is not None
        server = runner.server
        server.request_handler = partial(_answered, partial(answered, gateway, server.request_handler))
        server.request_factory = in_http_11(server.request_factory)
        self._bound = bound
        self._make = partial(Connection, server, gateway.connections, gateway.settings)

    @property
    def name(self) -> str:
        """Where it listens."""
        return str(self._bound.getsockname())

    async def start(self) -> None:
        """Accept connections from now on."""
        await super().start()
        loop = asyncio.get_running_loop()
        # asyncio takes this many at once before it looks at any of them, and descriptors are scarce.
        self._server = await loop.create_server(self._make, sock=self._bound, backlog=AT_ONCE)
        self._bound.listen(BACKLOG)


async def _answered(handler: Handler, http: web.Request) -> web.StreamResponse:
    connection = http.protocol
    assert isinstance(connection, Connection)
    return await connection.answer(handler, http)


def in_http_11(make: Callable[..., web.BaseRequest]) -> Callable[..., web.BaseRequest]:
    """aiohttp's factory of requests; what its parser refused is answered in HTTP/1.1 and not in 1.0."""
    refused = ERROR._replace(version=HttpVersion11)

    def request(message: Any, *rest: Any) -> web.BaseRequest:
        return make(refused if message is ERROR else message, *rest)

    return request
