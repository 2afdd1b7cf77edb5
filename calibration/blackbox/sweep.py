"""sweep: puts a plan's load on an endpoint and keeps what the clients saw, block by block."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from calibration.backends.model_folder import made_up_words
from calibration.blackbox.design import Plan, Point
from calibration.blackbox.endpoint import Answered, Endpoint
from calibration.campaign import Progress
from calibration.store import Record, Store

T = TypeVar("T")

WARM_UP = ((1, 64), (1, 256), (4, 64), (4, 256))
"""Requests at once and words of each; sent first, never kept."""
RATE_FROM = 0.8
"""Rates take the last fifth of the progress."""


@dataclass(slots=True)
class Prompts:
    """Prompts of about a given number of tokens, each like no other before it, whatever the tokenizer.

    ``tokens_per_word`` is learnt from the endpoint's own counts.
    """

    words: list[str]
    tokens_per_word: float = 1.0
    counted: tuple[int, int] = (0, 0)

    def of_words(self, count: int) -> str:
        """That many words, drawn anew in every process, so that no prefix cache knows them."""
        return " ".join(random.choices(self.words, k=count))  # noqa: S311

    def of_tokens(self, tokens: int) -> str:
        """About that many tokens."""
        return self.of_words(max(1, round(tokens / self.tokens_per_word)))

    def learn(self, words: int, tokens: int) -> None:
        """The endpoint counted ``tokens`` for ``words`` words."""
        self.counted = self.counted[0] + words, self.counted[1] + tokens
        self.tokens_per_word = self.counted[1] / self.counted[0]


class Sweep:
    """One sweep over one endpoint. A block ``point/repetition`` that the store has is not measured again."""

    def __init__(self, endpoint: Endpoint, plan: Plan, store: Store, progress: Progress) -> None:
        self._endpoint = endpoint
        self._plan = plan
        self._store = store
        self._progress = progress
        self._prompts = Prompts(made_up_words(20_000))

    async def run(self) -> None:
        """Measure what is missing: repetitions one after the other, each over all points."""
        steady = list(self._missing(self._plan.steady))
        if steady or list(self._missing(self._plan.rates)):
            self._progress("warming up", 0.0)
            await self._warm_up()
        for number, (name, point, repetition) in enumerate(steady):
            self._progress("idle and fixed concurrency", RATE_FROM * number / len(steady))
            play = (
                self._closed(point, repetition) if point.kind == "plateau" else self._alone(point, repetition)
            )
            self._store.keep(name, requests=await play)
        rates = list(self._missing(self._plan.rates))
        for number, (name, point, repetition) in enumerate(rates):
            self._progress("open loop", RATE_FROM + (1 - RATE_FROM) * number / len(rates))
            self._store.keep(name, requests=await self._open(point, repetition))

    def _missing(self, points: list[Point]) -> Iterator[tuple[str, Point, int]]:
        for repetition in range(self._plan.repetitions):
            for point in points:
                if (name := block_name(point, repetition)) not in self._store:
                    yield name, point, repetition

    async def _warm_up(self) -> None:
        for width, words in WARM_UP:
            prompts = [self._prompts.of_words(words) for _ in range(width)]
            for answered in await together(self._endpoint.complete(p, 16) for p in prompts):
                self._prompts.learn(words, answered.prompt_tokens)

    async def _alone(self, point: Point, repetition: int) -> list[Record]:
        start = time.monotonic()
        return [await self._send(size, start) for size in point.sizes(repetition)]

    async def _closed(self, point: Point, repetition: int) -> list[Record]:
        start = time.monotonic()
        sizes = iter(list(point.sizes(repetition)))

        async def user() -> list[Record]:
            return [await self._send(size, start) for size in sizes]

        records = await together(user() for _ in range(int(point.level)))
        return [record for of_user in records for record in of_user]

    async def _open(self, point: Point, repetition: int) -> list[Record]:
        """Each request is meant for its moment, however late the client gets to send it."""
        rate = point.level * saturation(self._plan, self._store)
        draw = random.Random(f"{point.name} {repetition} arrivals")  # noqa: S311
        start = moment = time.monotonic() + 0.1
        sends = []
        for size in point.sizes(repetition):
            sends.append(self._send(size, start, moment))
            moment += draw.expovariate(rate)
        return await together(sends)

    async def _send(self, size: tuple[int, int], start: float, moment: float | None = None) -> Record:
        """Send at ``moment``, or at once."""
        prompt = self._prompts.of_tokens(size[0])
        if moment is not None:
            await asyncio.sleep(moment - time.monotonic())
        sent = time.monotonic()
        answered = await self._endpoint.complete(prompt, size[1])
        return record_of(answered, (moment or sent) - start, sent - start, start)


def record_of(answered: Answered, intended: float, sent: float, start: float) -> Record:
    """A request as it is kept: seconds from the block's start, and tokens."""
    return {
        "intended": intended,
        "sent": sent,
        "first": answered.first - start,
        "last": answered.last - start,
        "prompt_tokens": answered.prompt_tokens,
        "output_tokens": answered.output_tokens,
    }


def block_name(point: Point, repetition: int) -> str:
    """The store's name of one repetition of a point."""
    return f"{point.name}/{repetition}"


def saturation(plan: Plan, store: Store) -> float:
    """Requests per second that the endpoint answers at most, both mixes in turn, as the plateaus tell."""
    best: dict[object, float] = {}
    for point in plan.steady:
        for repetition in range(plan.repetitions) if point.kind == "plateau" else ():
            rate = throughput(store[block_name(point, repetition)]["requests"])
            best[point.mixes] = max(best.get(point.mixes, 0.0), rate)
    return len(best) / sum(1 / rate for rate in best.values())


def throughput(requests: list[Record]) -> float:
    """Answers per second of a plateau until its last request was sent, while it was full."""
    end = max(float(request["sent"]) for request in requests)
    return float(sum(request["last"] <= end for request in requests) / end)


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Await all at once; where one fails, the others are ended before its exception is raised."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
