"""post_client: times small JSON posts, one at a time. Needs aiohttp; run by `Worker`."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import aiohttp

from calibration.backends.answering import Answerer, serve
from calibration.backends.worker import Message

BODY = {"model": "model", "prompt": "word " * 50, "max_tokens": 128, "stream": False}
WARM_UP = 50


async def round_trips(url: str, count: int) -> list[float]:
    """Seconds from sending each post to having its parsed answer, over one kept connection."""
    seconds = []
    async with aiohttp.ClientSession() as session:
        for _ in range(WARM_UP + count):
            start = time.perf_counter()
            async with session.post(url, json=BODY) as response:
                response.raise_for_status()
                await response.json()
            seconds.append(time.perf_counter() - start)
    return seconds[WARM_UP:]


def build(settings: Message) -> tuple[Message, Answerer]:
    """``settings`` holds the server's ``url``."""

    def answer(question: Message) -> Message:
        return {"seconds": asyncio.run(round_trips(str(settings["url"]), cast(int, question["count"])))}

    return {"aiohttp": aiohttp.__version__}, answer


if __name__ == "__main__":
    serve(build)
