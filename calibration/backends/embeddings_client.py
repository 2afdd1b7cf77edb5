"""embeddings_client: asks a server on another core for embeddings. Needs aiohttp; run by `Worker`."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import aiohttp

from calibration.backends.answering import Answerer, serve
from calibration.backends.connections import unlimited
from calibration.backends.worker import Message


async def wave(url: str, requests: list[list[str]]) -> list[Message]:
    """Send all requests at once, each a batch of texts."""
    async with aiohttp.ClientSession(connector=unlimited()) as session:
        return list(await asyncio.gather(*(_embed(session, url, texts) for texts in requests)))


async def _embed(session: aiohttp.ClientSession, url: str, texts: list[str]) -> Message:
    """Monotonic seconds of sending and of having the vectors as numbers, and tokens from the usage field."""
    body = {"model": "model", "input": texts, "encoding_format": "float"}
    sent = time.monotonic()
    async with session.post(f"{url}/v1/embeddings", json=body) as response:
        response.raise_for_status()
        answer = await response.json()
    received = time.monotonic()
    return {"sent": sent, "received": received, "prompt_tokens": answer["usage"]["prompt_tokens"]}


def build(settings: Message) -> tuple[Message, Answerer]:
    """``settings`` holds the server's ``url``."""

    def answer(question: Message) -> Message:
        requests = cast(list[list[str]], question["requests"])
        return {"answers": asyncio.run(wave(str(settings["url"]), requests))}

    return {"aiohttp": aiohttp.__version__}, answer


if __name__ == "__main__":
    serve(build)
