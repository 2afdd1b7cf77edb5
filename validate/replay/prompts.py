"""Prompts: what the requests of a scenario say, which share what the scenario says they share."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from simcore.request import Request

ENTROPY = 20_26
"""Keeps these draws apart from those of the workload, which have other seeds."""
TOKENS = range(1, 30_522)
"""Ids that prompts are drawn from: the least vocabulary of any model here, BERT's. vLLM refuses others."""
OWN, SHARED = 0, 1


class TextMaker(Protocol):
    """Makes texts of so many tokens."""

    def text(self, tokens: int, draws: np.random.Generator) -> str:
        """A text of that many tokens."""
        ...


class Prompts:
    """Random token ids, the same ones for a seed.

    Blocks of one key are alike, and everything else is a request's own, so that a prefix cache finds
    what the simulator's finds and nothing else. ``block_size`` is the one that the keys were drawn for.
    Texts to be embedded are words if ``words`` makes some, else token ids too.
    """

    def __init__(self, seed: int, block_size: int, words: TextMaker | None = None) -> None:
        self._seed = seed
        self._block_size = block_size
        self._words = words
        self._blocks: dict[int, list[int]] = {}
        self._asked = 0

    def of(self, request: Request) -> list[int]:
        """The prompt of an LLM request."""
        shared = [token for key in request.prefix_keys for token in self._block(key)]
        own = _tokens(request.prompt_tokens - len(shared), self._own_draws())
        return shared[: request.prompt_tokens] + own

    def texts(self, request: Request) -> list[str] | list[list[int]]:
        """The texts of an embedding request."""
        draws = self._own_draws()
        if self._words is not None:
            return [self._words.text(length, draws) for length in request.text_tokens]
        return [_tokens(length, draws) for length in request.text_tokens]

    def _block(self, key: int) -> list[int]:
        if key not in self._blocks:
            self._blocks[key] = _tokens(self._block_size, self._draws(SHARED, key))
        return self._blocks[key]

    def _own_draws(self) -> np.random.Generator:
        self._asked += 1
        return self._draws(OWN, self._asked)

    def _draws(self, kind: int, number: int) -> np.random.Generator:
        return np.random.default_rng([ENTROPY, self._seed, kind, number])


def _tokens(count: int, draws: np.random.Generator) -> list[int]:
    return [int(token) for token in draws.integers(TOKENS.start, TOKENS.stop, max(0, count))]
