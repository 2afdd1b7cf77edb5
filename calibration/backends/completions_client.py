"""completions_client: streams completions from a server on another core. Needs aiohttp; run by `Worker`."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, cast

import aiohttp

from calibration.backends.answering import Answerer, serve
from calibration.backends.connections import unlimited
from calibration.backends.worker import Message


async def wave(url: str, prompts: list[str], output: int) -> list[Message]:
    """Send all prompts at once and follow each stream to its end."""
    async with aiohttp.ClientSession(connector=unlimited()) as session:
        return list(await asyncio.gather(*(_stream(session, url, prompt, output) for prompt in prompts)))


async def _stream(session: aiohttp.ClientSession, url: str, prompt: str, output: int) -> Message:
    """Monotonic seconds of sending and of the first and last token, and tokens from the usage field."""
    body = {
        "model": "model",
        "prompt": prompt,
        "max_tokens": output,
        "ignore_eos": True,
        "temperature": 0.0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    seen: dict[str, Any] = {"sent": time.monotonic()}
    async with session.post(f"{url}/v1/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.content:
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            if event["choices"]:
                seen["last"] = time.monotonic()
                seen.setdefault("first", seen["last"])
            if usage := event.get("usage"):
                seen |= {"prompt_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
    return seen


def build(settings: Message) -> tuple[Message, Answerer]:
    """``settings`` holds the server's ``url``."""

    def answer(question: Message) -> Message:
        prompts, output = cast(list[str], question["prompts"]), cast(int, question["output"])
        return {"streams": asyncio.run(wave(str(settings["url"]), prompts, output))}

    return {"aiohttp": aiohttp.__version__}, answer


if __name__ == "__main__":
    serve(build)
