"""Reply: the client's end of an exchange."""

from __future__ import annotations

import asyncio

from aiohttp import web

from validate.gateway.errors import ClientGone

GRACE = 1.0
"""Seconds that a client has to take the last event of a stream that broke off."""
EVENTS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


class Reply:
    """What the client is sent. Until its first byte, ``begun`` is None and everything is still open.

    ``headers`` are sent beside its own. Its methods raise `ClientGone` once the client has hung up.
    """

    def __init__(self, http: web.Request) -> None:
        self.begun: web.StreamResponse | None = None
        self.headers: dict[str, str] = {}
        self._http = http

    async def pass_on(self, chunk: bytes) -> None:
        """Send a piece of a stream of events, behind the headers if it is the first."""
        try:
            if self.begun is None:
                self.begun = web.StreamResponse(headers=EVENTS | self.headers)
                await self.begun.prepare(self._http)
            await self.begun.write(chunk)
        except OSError as error:
            raise ClientGone from error

    async def send(self, content: bytes) -> web.StreamResponse:
        """Send an answer that comes in one piece, to its end."""
        self.begun = response = web.Response(
            body=content, content_type="application/json", headers=self.headers
        )
        try:
            await response.prepare(self._http)
            await response.write_eof()
        except OSError as error:
            raise ClientGone from error
        return response

    async def break_off(self, event: bytes) -> None:
        """Say in the stream itself that it is over; hang up on a client that does not take even that."""
        assert self.begun is not None
        try:
            async with asyncio.timeout(GRACE):
                await self.begun.write(event)
                await self.begun.write_eof()
        except OSError:
            if self._http.transport is not None:
                self._http.transport.abort()
