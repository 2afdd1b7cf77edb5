"""The client of the gateway's benchmark: asks one URL, one at a time, in a closed loop, or all at once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from calibration.backends.connections import unlimited

PROMPT_TOKENS = 64


@dataclass(slots=True)
class Answer:
    """Seconds on the monotonic clock; ``times`` are those of the events that brought tokens."""

    sent: float
    ended: float = 0.0
    times: list[float] = field(default_factory=list)
    tokens: int = 0
    """As the backend counted them."""

    @property
    def e2e(self) -> float:
        """Seconds from sending to the end of the answer."""
        return self.ended - self.sent

    @property
    def ttft(self) -> float:
        """Seconds from sending to the first token."""
        return self.times[0] - self.sent

    @property
    def gaps(self) -> list[float]:
        """Seconds between tokens."""
        return [b - a for a, b in zip(self.times, self.times[1:], strict=False)]


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked: ``tokens`` in a stream, ``pause`` seconds apart from the stub; 0: an embedding."""

    tokens: int
    pause: float | None = None

    @property
    def route(self) -> str:
        """The path below the URL."""
        return "/v1/completions" if self.tokens else "/v1/embeddings"

    @property
    def body(self) -> dict[str, Any]:
        """What is posted; vLLM would refuse ``pause_s``."""
        if not self.tokens:
            return {"model": "model", "input": "word " * PROMPT_TOKENS, "encoding_format": "float"}
        asked = {
            "model": "model",
            "prompt": [7] * PROMPT_TOKENS,
            "max_tokens": self.tokens,
            "ignore_eos": True,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return asked if self.pause is None else asked | {"pause_s": self.pause}


def open_client() -> aiohttp.ClientSession:
    """Connections without a cap and without a time limit."""
    return aiohttp.ClientSession(connector=unlimited(), timeout=aiohttp.ClientTimeout(total=None))


async def ask(client: aiohttp.ClientSession, url: str, load: Load) -> Answer:
    """One request and its whole answer. Raises aiohttp's errors, ValueError for a wrong number of tokens."""
    answer = Answer(time.monotonic())
    async with client.post(url + load.route, json=load.body) as response:
        response.raise_for_status()
        if load.tokens:
            await _follow(response, answer)
        else:
            await response.read()
    answer.ended = time.monotonic()
    if answer.tokens != load.tokens:
        raise ValueError(f"{answer.tokens} tokens of {load.tokens}")
    return answer


async def _follow(response: aiohttp.ClientResponse, answer: Answer) -> None:
    async for line in response.content:
        if b'"text"' in line:
            answer.times.append(time.monotonic())
        elif b'"completion_tokens"' in line:
            answer.tokens = json.loads(line[6:])["usage"]["completion_tokens"]


async def closed_loop(url: str, load: Load, clients: int, until: Callable[[], bool]) -> list[Answer]:
    """The answers that ``clients`` got, each asking again once it has its answer, until told to stop."""
    answers: list[Answer] = []

    async def client_of(session: aiohttp.ClientSession) -> None:
        while not until():
            answers.append(await ask(session, url, load))

    async with open_client() as session:
        await asyncio.gather(*(client_of(session) for _ in range(clients)))
    return answers


async def at_once(url: str, load: Load, count: int) -> list[Answer | BaseException]:
    """What became of ``count`` requests that were all sent together."""
    async with open_client() as session:
        asked = (ask(session, url, load) for _ in range(count))
        return await asyncio.gather(*asked, return_exceptions=True)
