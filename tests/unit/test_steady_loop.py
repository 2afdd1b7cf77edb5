"""The loop on which HTTP is tested: the machine's pauses do not count, waiting does."""

import asyncio
import time

import pytest

from tests.unit.steady_loop import run_steadily, stall


def test_a_pause_of_the_process_ages_no_timeout() -> None:
    async def work() -> None:
        async with asyncio.timeout(0.05):
            time.sleep(0.1)
            await asyncio.sleep(0.01)

    run_steadily(work())


def test_what_is_waited_for_passes_to_the_millisecond() -> None:
    async def work() -> float:
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(0.05)
        return asyncio.get_running_loop().time() - begun

    assert 0.05 <= run_steadily(work()) < 0.051


async def waits() -> None:
    await asyncio.sleep(1.0)


async def stalls() -> None:
    stall(0.1)


@pytest.mark.parametrize("waiting", [waits, stalls])
def test_waiting_and_a_stall_that_is_meant_end_a_timeout(waiting) -> None:
    async def work() -> None:
        async with asyncio.timeout(0.05):
            await waiting()
            await asyncio.sleep(0.01)

    with pytest.raises(TimeoutError):
        run_steadily(work())
