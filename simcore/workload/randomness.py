"""Streams: every random draw of a replication comes from a generator that has a name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import blake2b

import numpy as np


def stable_hash(text: str) -> int:
    """A 64-bit number of ``text`` that is the same on every machine and in every run."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


class Streams:
    """Independent generators by name and purpose, for common random numbers.

    A generator depends on the seed, the replication and its two names and on nothing else. So a variant
    that disables one stream of load, or draws more often for one purpose, shifts no draw of another.
    """

    def __init__(self, seed: int, replication: int) -> None:
        self._seed = seed
        self._replication = replication

    def generator(self, stream_name: str, purpose: str) -> np.random.Generator:
        """A fresh generator, at the start of its sequence."""
        key = (self._replication, stable_hash(stream_name), stable_hash(purpose))
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self._seed, spawn_key=key)))

    def ongoing(self, stream_name: str, purposes: str = "") -> Callable[[str], np.random.Generator]:
        """Gives one generator a purpose, which goes on where it was; ``purposes`` begins the names of all."""
        return cache(lambda purpose: self.generator(stream_name, purposes + purpose))
