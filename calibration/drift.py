"""drift: keep a block of measurements only if the machine ran at one speed around it.

A shared host slows a machine down by half for minutes on end without any load of its own, so a fixed
anchor is timed before and after each block, and compared with all anchors so far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

T = TypeVar("T")

TOLERANCE = 0.05
"""Largest relative distance of an anchor from the usual one."""


@dataclass(frozen=True, slots=True)
class Block(Generic[T]):
    """What was measured, with the anchors around it, in seconds."""

    content: T
    anchors: tuple[float, float]


def drift(anchors: Sequence[float], usual: float) -> float:
    """Largest relative distance of a block's two anchors from the usual one, and from each other."""
    before, after = anchors
    return max(abs(before / usual - 1.0), abs(after / usual - 1.0), abs(after / before - 1.0))


def measure_steadily(
    measure: Callable[[], T], anchor: Callable[[], float], known: Sequence[float], tries: int
) -> Block[T]:
    """Measure between two anchors; again, at most ``tries`` times in all, while the speed drifts.

    ``known`` holds the anchors of other blocks, in seconds. The steadiest try is kept, steady or not.
    """
    blocks: list[Block[T]] = []
    seen = list(known)
    for _ in range(tries):
        before, content, after = anchor(), measure(), anchor()
        seen += [before, after]
        blocks.append(Block(content, (before, after)))
        if drift(blocks[-1].anchors, median(seen)) <= TOLERANCE:
            break
    return min(blocks, key=lambda block: drift(block.anchors, median(seen)))
