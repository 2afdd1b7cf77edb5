"""Connections of measuring clients are used again, and given up before a server would close them."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from calibration.backends import connections
from calibration.blackbox.endpoint import Endpoint
from tests.unit.blackbox_server import TOKEN, saying, serving, usage


@pytest.mark.parametrize(("idle", "expected"), [(60.0, 1), (0.01, 2)])
def test_only_a_connection_that_was_idle_for_long_is_not_used_again(
    idle: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "IDLE", idle)
    answer = saying(TOKEN, usage(3, 1))
    clients = set()

    async def noting(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        assert request.transport is not None
        clients.add(request.transport.get_extra_info("peername"))
        return await answer(request, body)

    async def ask_twice(url: str) -> None:
        async with Endpoint(url, "m", None, 5.0) as endpoint:
            await endpoint.complete("ba", 1)
            await asyncio.sleep(0.1)
            await endpoint.complete("ba", 1)

    with serving(noting) as url:
        asyncio.run(ask_twice(url))
    assert len(clients) == expected
