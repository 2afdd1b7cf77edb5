"""Reply: the client's end of an exchange."""

from __future__ import annotations

import asyncio
import socket
import struct

from aiohttp import web

from validate.gateway.errors import ClientGone

GRACE = 1.0
"""Seconds that a client has to take the last event of a stream that broke off."""
PIECE = 1 << 17
"""Bytes of a long answer that are handed to the connection before it has taken those before them."""
EVENTS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
NO_LINGER = struct.pack("ii", 1, 0)


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

    async def end(self) -> None:
        """Send the end of a stream."""
        assert self.begun is not None
        try:
            await self.begun.write_eof()
        except OSError as error:
            raise ClientGone from error

    async def send(self, content: bytes) -> web.StreamResponse:
        """Send an answer that comes in one piece, no faster than the client takes it."""
        self.begun = response = web.StreamResponse(headers=self.headers)
        response.content_type = "application/json"
        response.content_length = len(content)
        try:
            await response.prepare(self._http)
            last = len(content) - len(content) % PIECE
            for start in range(0, last, PIECE):
                await response.write(content[start : start + PIECE])
            await response.write_eof(content[last:])
        except OSError as error:
            raise ClientGone from error
        return response

    async def break_off(self, event: bytes) -> None:
        """Say in a stream that it is over; hang up on who is behind, or was promised so many bytes."""
        assert self.begun is not None
        transport = self._http.transport
        if self.begun.content_length is not None or transport is None or transport.get_write_buffer_size():
            self.hang_up()
            return
        try:
            async with asyncio.timeout(GRACE):
                await self.begun.write(event)
                await self.begun.write_eof()
        except OSError:
            self.hang_up()

    def hang_up(self) -> None:
        """Close the connection now: what it still holds never leaves."""
        transport = self._http.transport
        if transport is None:
            return
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        transport.abort()
