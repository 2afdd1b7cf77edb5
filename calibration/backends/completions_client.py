"""completions_client: streams completions from a server on another core. Needs aiohttp; run by `Worker`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any, cast

import aiohttp

from calibration.backends.answering import Answerer, serve
from calibration.backends.connections import unlimited
from calibration.backends.worker import Message

USAGE = b'"usage":{'
"""In the one event that counts the tokens."""


class Stream:
    """One streamed completion: monotonic seconds of its events, and their number.

    ``seen`` has ``sent``, ``first`` and ``last`` (token), ``finished`` (the stream), ``chunks`` (events with
    tokens, of which a server that is behind puts several into one), and the tokens from the usage field.
    """

    def __init__(self, turn: int = 0) -> None:
        self.seen: dict[str, Any] = {"turn": turn, "chunks": 0}
        self.over = False
        self._moved = asyncio.Event()

    async def follow(self, session: aiohttp.ClientSession, url: str, prompt: str, output: int) -> None:
        """Send the request and follow its stream to the end."""
        self.seen["sent"] = time.monotonic()
        try:
            async with session.post(f"{url}/v1/completions", json=_body(prompt, output)) as response:
                response.raise_for_status()
                async for line in response.content:
                    if line.startswith(b"data: {"):
                        self._take(line)
            self.seen["finished"] = time.monotonic()
        finally:
            self.over = True
            self._moved.set()

    async def reached(self, chunks: int) -> None:
        """Return once so many chunks are there, or the stream is over."""
        while self.seen["chunks"] < chunks and not self.over:
            self._moved.clear()
            await self._moved.wait()

    def _take(self, line: bytes) -> None:
        # Of each stream only two events are parsed: a client that is slower than the server measures itself.
        event = json.loads(line[6:]) if USAGE in line else None
        if event is None or event["choices"]:
            self.seen["last"] = time.monotonic()
            self.seen.setdefault("first", self.seen["last"])
            self.seen["chunks"] += 1
            self._moved.set()
        if event is not None:
            usage = event["usage"]
            self.seen |= {
                "prompt_tokens": usage["prompt_tokens"],
                "output_tokens": usage["completion_tokens"],
            }


def _body(prompt: str, output: int) -> dict[str, Any]:
    return {
        "model": "model",
        "prompt": prompt,
        "max_tokens": output,
        "ignore_eos": True,
        "temperature": 0.0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


Asked = tuple[str, int]
"""A prompt and the tokens that are wanted."""


async def play(url: str, held: Sequence[Asked], then: Sequence[Sequence[Asked]], gap: int) -> list[Message]:
    """The streams of a `calibration.probes.served_design.Load`, ``turn`` 0 for those held, then 1, 2, …"""
    async with aiohttp.ClientSession(connector=unlimited()) as session:
        streams = [Stream() for _ in held]
        pairs = zip(streams, held, strict=True)
        running = [asyncio.create_task(stream.follow(session, url, *asked)) for stream, asked in pairs]
        for stream in streams:
            await stream.reached(1)
        beside = list[Stream]()
        for turn, group in enumerate(then, start=1):
            if streams:
                await streams[0].reached(streams[0].seen["chunks"] + gap)
            new = [Stream(turn) for _ in group]
            beside += new
            await asyncio.gather(
                *(stream.follow(session, url, *asked) for stream, asked in zip(new, group, strict=True))
            )
        await asyncio.gather(*running)
    return [stream.seen for stream in (*streams, *beside)]


def build(settings: Message) -> tuple[Message, Answerer]:
    """``settings`` holds the server's ``url``."""

    def answer(question: Message) -> Message:
        held, then, gap = (cast(Any, question[key]) for key in ("held", "then", "gap"))
        return {"streams": asyncio.run(play(str(settings["url"]), held, then, gap))}

    return {"aiohttp": aiohttp.__version__}, answer


if __name__ == "__main__":
    serve(build)
