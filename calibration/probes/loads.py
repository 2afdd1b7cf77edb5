"""loads: which loads an LLM and an embedding model put on one device together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextBatch:
    """A batch of ``texts`` texts of ``length`` tokens each, and the duties at which it is repeated.

    The duty is the share of the time that the embedding side is at work when alone: after each batch it
    sleeps for the rest. At 1 it never does.
    """

    texts: int
    length: int
    duties: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, slots=True)
class Loads:
    """Every number of decoding requests beside every batch of texts, for ``seconds`` at least, in rounds."""

    decodes: tuple[int, ...]
    batches: tuple[TextBatch, ...]
    seconds: float
    rounds: int
    turns: int
    """How often two sides that take turns do so."""


def tiny_loads() -> Loads:
    """For tests."""
    return Loads((4,), (TextBatch(2, 32, (1.0, 0.5)),), seconds=0.3, rounds=1, turns=4)


def quick_loads() -> Loads:
    """Some seventy seconds of machine time on one slow core."""
    batches = (TextBatch(4, 64, (1.0, 0.5)), TextBatch(1, 16))
    return Loads((2, 16), batches, seconds=0.5, rounds=4, turns=12)


def full_loads() -> Loads:
    """Likewise two and a half minutes."""
    duties = (1.0, 0.5, 0.25)
    batches = (TextBatch(1, 64, duties), TextBatch(8, 64, duties), TextBatch(32, 32))
    return Loads((1, 8, 32), batches, seconds=0.8, rounds=2, turns=20)
