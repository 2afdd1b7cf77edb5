"""The event loop with fine timers does what any loop does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from validate.live.fine_loop import FineSelector, fine_loop

T = TypeVar("T")


def run(story: Callable[[], Awaitable[T]]) -> T:
    async def told() -> T:
        return await asyncio.wait_for(story(), 10.0)

    with asyncio.Runner(loop_factory=fine_loop) as runner:
        return runner.run(told())


def test_what_is_readable_wakes_it_before_the_timer() -> None:
    async def story() -> bytes:
        here, there = socket.socketpair()
        with here, there:
            here.setblocking(False)
            loop = asyncio.get_running_loop()
            loop.call_later(0.001, there.send, b"x")
            return await loop.sock_recv(here, 1)

    assert run(story) == b"x"


def test_timers_come_in_their_order_and_never_early() -> None:
    async def story() -> list[tuple[float, float]]:
        loop = asyncio.get_running_loop()
        begun, seen = loop.time(), []
        delays = (0.0031, 0.0002, 0.0017, 0.0)

        async def after(delay: float) -> None:
            await asyncio.sleep(delay)
            seen.append((delay, loop.time() - begun))

        await asyncio.gather(*map(after, delays))
        return seen

    seen = run(story)
    assert [delay for delay, _ in seen] == sorted(delay for delay, _ in seen)
    assert all(passed > delay - 1e-6 for delay, passed in seen)


def test_a_thread_wakes_it_where_it_waits_for_ever() -> None:
    async def story() -> int:
        return await asyncio.to_thread(lambda: 7)

    assert run(story) == 7


@pytest.mark.parametrize("timeout", [-1.0, 0.0, 0.0005])
def test_nothing_ready_is_an_empty_list(timeout: float) -> None:
    with FineSelector() as selector:
        assert selector.select(timeout) == []
