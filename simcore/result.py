"""SimulationResult: all that one simulated replication leaves behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import nan

from simcore.request import Request, Service


@dataclass(slots=True)
class BackendUsage:
    """What one backend did in the window (`simcore.metrics.window_of`), in seconds and units.

    ``batch_mean`` is the mean number of requests in a step (or texts in an embedding batch, or busy
    servers of a retriever), weighted by time worked; ``kv_*`` is the used share of the KV blocks,
    weighted by time; ``waiting_mean`` the time average of requests in the backend's own queue.
    """

    name: str
    service: Service
    device: str
    profile: str
    span: float
    busy: float
    steps: int
    batch_mean: float
    waiting_mean: float
    kv_mean: float = 0.0
    kv_peak: float = 0.0
    preemptions: int = 0
    price_per_hour: float = 0.0
    in_gaps: float = 0.0
    """Seconds of ``busy`` in which embedding batches took the gap between two steps of an LLM."""
    joules: float | None = None
    """Energy over the span, idle power included; None where a profile has no power."""

    @property
    def utilisation(self) -> float:
        """Share of the span that the backend worked; NaN of none."""
        return self.busy / self.span if self.span else nan

    @property
    def watts(self) -> float | None:
        """Mean power over the span; None where it is not known."""
        return None if self.joules is None or not self.span else self.joules / self.span


@dataclass(slots=True)
class ControlPlaneUsage:
    """What one control plane did over the same span; for Separate there is one per service."""

    name: str
    dispatches: int
    """Of the whole run."""
    waiting_mean: float
    decision_busy: float
    """Seconds that its thread was deciding."""


@dataclass(frozen=True, slots=True)
class RangeExcess:
    """What a run used of ``quantity`` of a profile, partly outside what was measured, ``low`` to ``high``."""

    profile: str
    quantity: str
    least: float
    most: float
    low: float
    high: float

    def __str__(self) -> str:
        above = f"up to {self.most:,.0f}, {_compared(self.most, self.high, 'most')}"
        below = f"down to {self.least:,.0f}, {_compared(self.least, self.low, 'least')}"
        told = [above] * (self.most > self.high) + [below] * (self.least < self.low)
        return f"profile {self.profile} was left: {self.quantity} {' and '.join(told)}"


def _compared(used: float, end: float, which: str) -> str:
    """``35 times the most measured, 8,028``."""
    if not end:
        return f"where the {which} measured was 0"
    times = used / end
    return f"{times:,.{0 if times >= 10 else 2}f} times the {which} measured, {end:,.0f}"


def worst(excesses: Iterable[RangeExcess]) -> list[RangeExcess]:
    """One excess per profile and quantity, over all that was used."""
    found: dict[tuple[str, str], RangeExcess] = {}
    for excess in excesses:
        key = (excess.profile, excess.quantity)
        known = found.get(key, excess)
        least, most = min(known.least, excess.least), max(known.most, excess.most)
        found[key] = replace(excess, least=least, most=most)
    return list(found.values())


@dataclass(slots=True)
class SimulationResult:
    """One replication of one variant at one sweep point.

    ``requests`` holds every request that arrived, by id, stages of pipelines included (their ``parent`` is
    set), each with exactly one outcome; it is empty where `simulate` told of them one by one.
    ``range_excesses`` says where a profile was left.
    """

    requests: list[Request]
    backends: list[BackendUsage]
    control_planes: list[ControlPlaneUsage]
    horizon: float
    """Simulated seconds until the last event."""
    events: int
    """Engine steps and batches, jumped ones counted one by one."""
    range_excesses: list[RangeExcess] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    """Sentences about what was assumed because nothing measured it."""
