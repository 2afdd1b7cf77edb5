"""Upstream: the connections to the backends, and one request on one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from calibration.backends.connections import unlimited
from validate.gateway.errors import BackendFault
from validate.gateway.held import Share

REFUSALS = (408, 429)
"""Statuses below 500 by which a server says that it cannot, rather than that the request is wrong."""


def open_session(connect_timeout: float) -> aiohttp.ClientSession:
    """Connections without a cap: the control plane alone limits what is in flight."""
    return aiohttp.ClientSession(
        connector=unlimited(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout),
        headers={"Accept-Encoding": "identity"},
        cookie_jar=aiohttp.DummyCookieJar(),
    )


@asynccontextmanager
async def posted(
    session: aiohttp.ClientSession, url: str, payload: bytes, passed_on: Mapping[str, str]
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The backend's answer, of a status that is the client's business. Raises BackendFault for others.

    ``passed_on`` are headers of the client's. Leaving early closes the connection, which makes vLLM abort
    the request. A redirection is not followed: where requests go is not a backend's to say.
    """
    headers = {"Content-Type": "application/json", **passed_on}
    try:
        async with session.post(url, data=payload, headers=headers, allow_redirects=False) as answer:
            if answer.status >= 500 or answer.status in REFUSALS or 300 <= answer.status < 400:
                raise BackendFault(f"it answered with status {answer.status}")
            yield answer
    except (aiohttp.ClientError, OSError) as error:
        raise BackendFault(f"{type(error).__name__} on the way to it") from error


async def whole(answer: aiohttp.ClientResponse, limit: int, share: Share) -> bytes:
    """The bytes of an answer that comes in one piece, held in that share.

    Raises BackendFault past ``limit``, Overloaded where there is no room for it.
    """
    parts: list[bytes] = []
    before = share.size
    try:
        async for part in answer.content.iter_any():
            share.take(len(part))
            if share.size - before > limit:
                raise BackendFault("its answer is too long")
            parts.append(part)
    except BaseException:
        share.give_back(share.size - before)
        raise
    return b"".join(parts)
