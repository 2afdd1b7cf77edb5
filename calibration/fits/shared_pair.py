"""Pair: an LLM's and an embedding model's loads on one device, alone and at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calibration.fits.judge import summed_up
from simcore.profile.base import FitQuality

Foretold = tuple[float, float]
"""Seconds of a step and of a cycle."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair of loads, seconds each: a step and a batch alone, the pause between batches, and both at once.

    ``shared_cycle`` is from the start of a batch to that of the next,
    pause included.
    """

    decodes: int
    texts: int
    length: int
    duty: float
    step: float
    batch: float
    pause: float
    shared_step: float
    shared_cycle: float

    @property
    def llm_slowdown(self) -> float:
        """Of the rate of steps."""
        return self.shared_step / self.step

    @property
    def embedding_slowdown(self) -> float:
        """Of the rate of batches."""
        return self.shared_cycle / (self.batch + self.pause)

    def predicted(self, llm: float, embedding: float) -> tuple[float, float]:
        """Seconds a step and a cycle if, while both are active, each runs so many times slower.

        That is what `simcore.device.Device` does to an LLM that never rests.
        """
        busy = embedding * self.batch
        cycle = busy + self.pause
        return self.step * cycle / (busy / llm + self.pause), cycle


def judged(pairs: Sequence[tuple[Pair, Foretold, bool]]) -> dict[str, FitQuality]:
    """By side, the errors of what was foretold of the held-out pairs, of which there must be one."""
    held = [(pair, foretold) for pair, foretold, held_out in pairs if held_out]
    steps = [step / pair.shared_step - 1.0 for pair, (step, _) in held]
    cycles = [cycle / pair.shared_cycle - 1.0 for pair, (_, cycle) in held]
    fitted = len(pairs) - len(held)
    return {
        "llm": summed_up(steps, fitted, len(held)),
        "embedding": summed_up(cycles, fitted, len(held)),
    }
