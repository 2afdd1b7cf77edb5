"""Power: what the steps of a backend take of energy."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import model_validator

from simcore.profile.base import FitQuality, How, Model, NonNegative, Positive


class Power(Model):
    """Energy of one backend on all of its GPUs together; of an embedding server a step is a batch.

    ::

        joules = idle_watts x time + joules_per_step x steps + joules_per_token x tokens computed
               + joules_per_kv_token x cached tokens read in decode

    The boards hold their mean power at ``limit_watts`` by lowering the clock, which step times include: so
    the time worked takes no more energy than that. Single steps exceed it, and are not held to it.
    """

    how: How
    source: str
    """What was measured or from what it was derived, in words."""
    idle_watts: Positive
    """Drawn at all times with the model loaded and the clock up."""
    limit_watts: Positive
    """The boards' power limit."""
    joules_per_step: NonNegative = 0.0
    """Reading the weights once, launching kernels."""
    joules_per_token: NonNegative = 0.0
    """Computing one token, of a prompt, an answer or a text."""
    joules_per_kv_token: NonNegative = 0.0
    """Reading keys and values of one cached token in decode."""
    intervals: dict[str, tuple[float, float]] = {}
    """The 95% interval of each coefficient."""
    fit: FitQuality | None = None
    """Of mean watts over a second."""
    notes: list[str] = []

    @model_validator(mode="after")
    def _below_the_limit(self) -> Power:
        if self.idle_watts >= self.limit_watts:
            raise ValueError("limit_watts must be above idle_watts")
        return self

    @property
    def step_energy(self) -> StepEnergy:
        """What a step takes beside the idle power."""
        return StepEnergy(self.joules_per_step, self.joules_per_token, self.joules_per_kv_token)


@dataclass(frozen=True, slots=True)
class StepEnergy:
    """Joules of a step, of a token computed and of a cached token read, beside the idle power."""

    step: float
    token: float
    kv_token: float

    def __call__(self, steps: float, tokens: float, kv_tokens: float) -> float:
        """Joules of that many steps, tokens computed and cached tokens read together."""
        return self.step * steps + self.token * tokens + self.kv_token * kv_tokens
