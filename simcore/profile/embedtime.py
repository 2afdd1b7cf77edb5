"""EmbedTime: how long an embedding server takes for one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmbedTime:
    """Seconds of one embedding batch; every coefficient is in seconds per unit of its feature.

    ::

        T = constant + text * batch + tokenise * tokens
          + padded * batch * longest + attention * batch * longest^2

    ``tokens`` counts the texts' own tokens, ``longest`` is the length that all texts are padded to.
    """

    constant: float
    text: float = 0.0
    tokenise: float = 0.0
    padded: float = 0.0
    attention: float = 0.0

    def __call__(self, texts: Sequence[int]) -> float:
        """Seconds for a batch of texts, given the number of tokens of each; at least one text."""
        batch, longest = len(texts), max(texts)
        return (
            self.constant
            + self.text * batch
            + self.tokenise * sum(texts)
            + (self.padded + self.attention * longest) * batch * longest
        )
