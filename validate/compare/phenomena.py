"""The parts of verdict.json that say where an error arises: engine steps and legs of requests."""

from __future__ import annotations

from typing import Literal

from simcore.scenario.base import Part


class StepKind(Part):
    """The steps of one kind, prefill, decode or mixed, of all repetitions; milliseconds are means."""

    kind: Literal["prefill", "decode", "mixed"]
    steps: int
    live_ms: float
    profile_ms: float
    error: float
    """Relative, profile - live."""


class Stretches(Part):
    """How far the profile is off the sums over ``length`` steps in a row, of which there were ``count``.

    A step's own time depends on which of two overlapping steps a moment is booked on; a sum's hardly does.
    """

    length: int
    count: int
    median_error: float
    """Of the absolute relative errors."""
    p90_error: float
    sentence: str


class Leg(Part):
    """A part of the way of a stream's requests; means. Several names where they are not told apart."""

    name: str
    live_ms: float
    simulated_ms: float
    error_ms: float


class Legs(Part):
    """Where the time of a stream's requests to one service went, in order.

    Over ``requests`` of all live repetitions, a ``share`` of those that completed after the warm-up: of an
    LLM those that were found in the engine's step log. What passes between client and engine is known up to
    ``uncertainty_ms`` either way, 0 where both have one clock.
    """

    variant: str
    point: float | None
    stream: str
    service: Literal["llm", "embedding"]
    requests: int
    share: float
    uncertainty_ms: float
    legs: list[Leg]
    sentence: str


class EngineSteps(Part):
    """How long the steps of one LLM backend lasted in each live repetition, and should by its profile; means.

    Where that differs so do latencies, whatever the simulator makes of queues. On a CPU it is all that the
    server computes, in which other processes on its core have no share.
    """

    variant: str
    point: float | None
    backend: str
    steps: list[int]
    live_ms: list[float]
    profile_ms: list[float]
    error: float
    """Relative, profile - live, over all repetitions."""
    sentence: str
    kinds: list[StepKind] = []
    """By the clock, from the end of a step to the end of the next."""
    stretches: Stretches | None = None
