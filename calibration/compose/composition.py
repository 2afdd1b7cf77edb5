"""Composition: one engine step request by request, as operator tables need it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simcore.step import Step


@dataclass(frozen=True, slots=True)
class Composition:
    """What a step holds: the KV length of each decode, its new token included, and each prompt chunk.

    A chunk is ``(computed, tokens)``: prompt tokens in the KV cache before, and computed in this step.
    """

    decodes: tuple[int, ...] = ()
    chunks: tuple[tuple[int, int], ...] = ()

    @property
    def step(self) -> Step:
        """The features that a fitted step time knows of it."""
        return Step(
            decodes=len(self.decodes),
            decode_context=sum(self.decodes),
            prefills=len(self.chunks),
            prefill_tokens=sum(tokens for _, tokens in self.chunks),
            prefill_attention=sum(tokens * (computed + tokens / 2) for computed, tokens in self.chunks),
        )


StepSeconds = Callable[[Composition], float]
"""Seconds of a step, put together from operators."""
