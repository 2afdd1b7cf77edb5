"""design: the load that a black-box calibration puts on an endpoint."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import product
from typing import Literal

Kind = Literal["idle", "plateau", "rate"]
LEAST_MODEL_LEN = 256
Lengths = tuple[int, int]
"""Least and greatest number of tokens."""


@dataclass(frozen=True, slots=True)
class Point:
    """Requests of some lengths, sent one at a time, at a fixed concurrency, or at a share of saturation."""

    kind: Kind
    level: float
    """Requests at once (idle: 1), or the share of the saturation rate."""
    mixes: tuple[tuple[Lengths, Lengths], ...]
    """Prompt and output lengths; a request has one of them, in turn."""
    requests: int
    held_out: bool = False

    @property
    def name(self) -> str:
        """Unique within a plan."""
        return f"{self.kind}/{self.level:g}/{self.mixes[0][0][0]}-{self.mixes[0][1][0]}"

    def sizes(self, seed: int) -> Iterator[Lengths]:
        """Prompt and output tokens of each request, the same ones for a seed."""
        draw = random.Random(f"{self.name} {seed}")  # noqa: S311
        for number in range(self.requests):
            prompt, output = self.mixes[number % len(self.mixes)]
            yield draw.randint(*prompt), draw.randint(*output)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured; prompts that would not fit ``max_model_len`` are left out or cut."""

    name: str
    prompts: tuple[int, ...] = (16, 64, 128, 256, 512, 1024, 1536)
    """Prompt tokens of single requests on an idle server."""
    outputs: tuple[int, int] = (32, 96)
    """Their output tokens, in turn."""
    concurrency: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    writing: tuple[Lengths, Lengths] = ((32, 128), (64, 128))
    """Lengths under load: little to read and much to write, ..."""
    reading: tuple[Lengths, Lengths] = ((256, 768), (16, 48))
    """... and the reverse."""
    waves: int = 3
    """Requests of a plateau, per request at once."""
    shares: tuple[float, ...] = (0.3, 0.6, 0.8, 0.95)
    """Rates of the open loop, as shares of the saturation rate."""
    arrivals: int = 48
    """Requests of each rate."""
    repetitions: int = 3
    max_model_len: int = 2048

    def __post_init__(self) -> None:
        if self.max_model_len < LEAST_MODEL_LEN:
            raise ValueError(f"a sweep needs a max_model_len of at least {LEAST_MODEL_LEN}")

    @property
    def identity(self) -> str:
        """Name and digest: points of another plan are not this plan's."""
        return f"{self.name} {sha256(repr(asdict(self)).encode()).hexdigest()[:12]}"

    @property
    def steady(self) -> list[Point]:
        """Idle points and plateaus; in each kind every third point, from the second on, is held out."""
        idle = [
            Point("idle", 1, (((prompt, prompt), (self.outputs[i % 2],) * 2),), 1)
            for i, prompt in enumerate(self.prompts)
            if prompt <= self._room
        ]
        plateaus = [
            Point("plateau", width, (mix,), max(6, self.waves * width))
            for width, mix in product(self.concurrency, self._mixes)
        ]
        return [*_hold_out(idle), *_hold_out(plateaus)]

    @property
    def rates(self) -> list[Point]:
        """Poisson arrivals of both mixes in turn; held out by the same rule."""
        return _hold_out([Point("rate", share, self._mixes, self.arrivals) for share in self.shares])

    @property
    def _room(self) -> int:
        """Most prompt tokens: the longest output fits too, and a tokenizer may count a tenth more."""
        longest = max(*self.outputs, self.writing[1][1], self.reading[1][1])
        return int((self.max_model_len - longest) / 1.1)

    @property
    def _mixes(self) -> tuple[tuple[Lengths, Lengths], ...]:
        room = self._room
        return tuple(
            ((min(low, room // 2), min(high, room)), output)
            for (low, high), output in (self.writing, self.reading)
        )


def _hold_out(points: list[Point]) -> list[Point]:
    return [
        Point(p.kind, p.level, p.mixes, p.requests, held_out=number % 3 == 1)
        for number, p in enumerate(points)
    ]


def full(most_at_once: int = 32, max_model_len: int = 2048) -> Plan:
    """Some minutes on an engine of a few milliseconds a step."""
    return Plan("full", concurrency=_doubling(most_at_once), max_model_len=max_model_len)


def quick(most_at_once: int = 16, max_model_len: int = 2048) -> Plan:
    """Likewise under two minutes."""
    return Plan(
        "quick",
        concurrency=_doubling(most_at_once)[::2],
        shares=(0.3, 0.6, 0.8),
        arrivals=24,
        repetitions=2,
        max_model_len=max_model_len,
    )


def _doubling(most: int) -> tuple[int, ...]:
    return tuple(2**power for power in range(most.bit_length()))
