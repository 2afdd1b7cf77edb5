"""The validation page's tables of legs and of engine steps, as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from simsage.formats import percent, plain
from validate.compare.phenomena import EngineSteps, Legs


@dataclass(frozen=True, slots=True)
class LegRow:
    """One leg of a stream's requests; means."""

    stream: str
    leg: str
    live_ms: str
    simulated_ms: str
    error_ms: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """One kind of a backend's steps, or its sums over stretches, beside the profile; means."""

    backend: str
    what: str
    count: str
    live_ms: str
    profile_ms: str
    error: str


def leg_rows(found: Iterable[Legs]) -> Iterator[LegRow]:
    """One row a leg, in the order of the way."""
    for one in found:
        for leg in one.legs:
            yield LegRow(
                stream=one.stream,
                leg=leg.name,
                live_ms=plain(leg.live_ms),
                simulated_ms=plain(leg.simulated_ms),
                error_ms=signed(leg.error_ms, plain(abs(leg.error_ms))),
            )


def leg_notes(found: Iterable[Legs]) -> Iterator[str]:
    """What the legs are of, and how well their ends are known."""
    for one in found:
        doubt = f", whose clock is known to ±{plain(one.uncertainty_ms)} ms" if one.uncertainty_ms else ""
        engine = f", found in the engine's step log{doubt}" if one.service == "llm" else ""
        yield (
            f"Legs of {one.stream}: means over {one.requests} requests, {percent(one.share)} of those that "
            f"completed{engine}."
        )


def step_rows(found: Iterable[EngineSteps]) -> Iterator[StepRow]:
    """One row a kind of step, and one for stretches with their median and p90 error."""
    for one in found:
        for kind in one.kinds:
            error = signed(kind.error, percent(abs(kind.error)))
            live, profile = plain(kind.live_ms), plain(kind.profile_ms)
            yield StepRow(one.backend, kind.kind, str(kind.steps), live, profile, error)
        if (sums := one.stretches) is not None:
            error = f"median {percent(sums.median_error)}, p90 {percent(sums.p90_error)}"
            yield StepRow(one.backend, f"{sums.length} in a row", str(sums.count), "", "", error)


def signed(value: float, text: str) -> str:
    """The ``text`` of an amount with the sign of ``value``."""
    return f"{'−' if value < 0 else '+' if value > 0 else ''}{text}"
