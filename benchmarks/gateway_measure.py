"""What is measured of the gateway: what it adds to a latency, its ceiling, and many streams at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from statistics import median

import numpy as np
from gateway_load import Answer, Load, ask, at_once, closed_loop, open_client
from gateway_processes import Served

REPETITIONS = 5
CLIENTS = (1, 4, 16, 64, 256)
RISE = 1.03
"""More clients are tried as long as each step brings at least that much more."""
CLIMB, WINDOW, ROUNDS = 1.0, 2.0, 3
"""Seconds of a step on the way to the ceiling, and of each of the rounds at it."""

Pairs = list[tuple[Answer, Answer]]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Requests per second of each round with ``clients`` in a closed loop."""

    clients: int
    rates: list[float]
    seconds: float
    """Of the gateway's processor per request."""

    @property
    def rate(self) -> float:
        """Of the median round."""
        return median(self.rates)


@dataclass(frozen=True, slots=True)
class Crowd:
    """What became of streams that were opened together."""

    answers: list[Answer]
    failed: int
    seconds: float
    """Of the gateway's processor per stream."""

    def gap(self, percentile: float) -> float:
        """Seconds between the tokens of a stream; nan where none had two."""
        gaps = [gap for answer in self.answers for gap in answer.gaps]
        return float(np.percentile(gaps or [nan], percentile))

    def whole(self, load: Load) -> int:
        """Streams that brought every token, each in an event of its own."""
        return sum(len(answer.times) == load.tokens for answer in self.answers)


def alternating(served: Served, load: Load, count: int) -> list[Pairs]:
    """``count`` answers of backend and gateway in turn, so that drift meets both; by repetition."""

    async def pairs() -> Pairs:
        async with open_client() as client:
            return [
                (await ask(client, served.direct, load), await ask(client, served.url, load))
                for _ in range(count)
            ]

    asyncio.run(pairs())
    return [asyncio.run(pairs()) for _ in range(REPETITIONS)]


def added(pairs: Pairs, of: Callable[[Answer], float], percentile: float) -> float:
    """Seconds that a percentile through the gateway is above the backend's own."""
    direct, through = (np.percentile([of(pair[i]) for pair in pairs], percentile) for i in (0, 1))
    return float(through - direct)


def ceiling(served: Served, url: str, load: Load) -> Ceiling:
    """The throughput at which more clients bring no more."""
    clients, best = CLIENTS[0], 0.0
    for more in CLIENTS:
        rate, _ = _rate(served, url, load, more, CLIMB)
        if rate < best * RISE:
            break
        clients, best = more, rate
    rounds = [_rate(served, url, load, clients, WINDOW) for _ in range(ROUNDS)]
    return Ceiling(clients, [rate for rate, _ in rounds], median(seconds for _, seconds in rounds))


def _rate(served: Served, url: str, load: Load, clients: int, window: float) -> tuple[float, float]:
    """Requests per second, and processor seconds of the gateway for each."""
    busy, begun = served.process.processor_seconds(), time.monotonic()
    answers = asyncio.run(closed_loop(url, load, clients, lambda: time.monotonic() > begun + window))
    elapsed = time.monotonic() - begun
    return len(answers) / elapsed, (served.process.processor_seconds() - busy) / len(answers)


def crowd(served: Served, url: str, load: Load, count: int) -> Crowd:
    """``count`` streams opened together and followed to their ends."""
    busy = served.process.processor_seconds()
    ended: Sequence[Answer | BaseException] = asyncio.run(at_once(url, load, count))
    answers = [answer for answer in ended if isinstance(answer, Answer)]
    return Crowd(answers, count - len(answers), (served.process.processor_seconds() - busy) / count)
