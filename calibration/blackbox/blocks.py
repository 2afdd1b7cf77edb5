"""blocks: what a sweep has kept, block by block, as the fit takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.blackbox.design import Kind, Plan
from calibration.blackbox.played import Latency, observed
from calibration.blackbox.sweep import block_name
from calibration.errors import Underdetermined
from calibration.fits.linear import Array
from calibration.store import Record, Store


@dataclass(frozen=True, slots=True)
class Block:
    """One repetition of a point, and what the clients saw."""

    name: str
    kind: Kind
    held_out: bool
    requests: list[Record]
    seen: Latency


def blocks_of(plan: Plan, store: Store) -> list[Block]:
    """All blocks of a finished sweep."""
    return [
        Block(name, point.kind, point.held_out, requests := store[name]["requests"], observed(requests))
        for point in (*plan.steady, *plan.rates)
        for name in (block_name(point, repetition) for repetition in range(plan.repetitions))
    ]


@dataclass(frozen=True, slots=True)
class Guess:
    """Coefficients read off the idle server: where the fit starts, and the scale of its bounds. Seconds."""

    step: float
    """A decode step of one request."""
    token: float
    """A prompt token more."""
    request: float
    """A first token less its prompt's share."""


def guess(blocks: Sequence[Block]) -> Guess:
    """From the idle blocks that are not held out: the line of TTFT over prompt tokens, and the least TPOT.

    Raises `Underdetermined` for an endpoint whose tokens all come at once.
    """
    if any(block.seen.tpot <= 0 for block in blocks) or all(np.isnan(b.seen.tpot) for b in blocks):
        raise Underdetermined("output came in one piece: an endpoint that does not stream tells no TPOT")
    idle = [block for block in blocks if block.kind == "idle" and not block.held_out]
    tokens: Array = np.array([block.requests[0]["prompt_tokens"] for block in idle], dtype=float)
    ttft = np.array([block.seen.ttft for block in idle])
    step = float(np.nanmin([block.seen.tpot for block in idle]))
    slope, intercept = np.polyfit(tokens, ttft, 1)
    token = max(float(slope), 1e-3 * step)
    return Guess(step, token, max(float(intercept) - step, 0.1 * step))


def idle_drift(blocks: Sequence[Block], repetitions: int) -> float:
    """How far apart the idle server's median TPOT was between repetitions, relative to the least."""
    medians = [
        float(np.nanmedian([b.seen.tpot for b in blocks if b.kind == "idle" and b.name.endswith(f"/{i}")]))
        for i in range(repetitions)
    ]
    return max(medians) / min(medians) - 1
