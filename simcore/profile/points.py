"""Measured points as a profile keeps them: one row each, for figures and later fits."""

from __future__ import annotations

from typing import NamedTuple


class StepRow(NamedTuple):
    """A step of the bare engine, by the features of `simcore.step.Step`, and its median seconds."""

    decodes: int
    decode_context: int
    prefills: int
    prefill_tokens: int
    prefill_attention: float
    seconds: float
    held_out: bool


class BatchRow(NamedTuple):
    """A batch of texts, by the tokens of each, and its median seconds."""

    texts: list[int]
    seconds: float
    held_out: bool
