"""verdict.json: what a live validation found. Times are milliseconds, errors simulated - live."""

from __future__ import annotations

from typing import Literal

from simcore.scenario.base import Part, Positive
from validate.compare.distance import Statistic
from validate.compare.phenomena import EngineSteps, Legs
from validate.compare.wording import percent

State = Literal["passed", "failed", "withheld"]
"""Withheld: what was measured cannot tell."""
Interval = tuple[float, float]


class Tolerances(Part):
    """What is declared before measuring: relative errors, except where said."""

    mean: Positive = 0.08
    p50: Positive = 0.08
    p90: Positive = 0.08
    p95: Positive = 0.08
    p99: Positive = 0.20
    median_error: Positive = 0.08
    """Of all figures together."""
    lag: Positive = 0.05
    """The replayer's p99 lag over a live median latency."""
    completed_share: Positive = 0.02
    """Difference of the completed shares, simulated - live."""


class Figure(Part):
    """One statistic of a stream's latency; values are means over repetitions.

    A relative error is absent where the live value is 0, the floor with fewer than two live repetitions.
    """

    statistic: Statistic
    live_ms: float
    simulated_ms: float
    error_ms: float
    error_ms_ci95: Interval
    error: float | None
    error_ci95: Interval | None
    floor_ms: float | None
    tolerance: float
    state: State
    sentence: str


class Comparison(Part):
    """All of one variant, sweep point, stream and metric. ``block_length`` is in requests."""

    variant: str
    point: float | None
    stream: str
    metric: Literal["ttft", "tpot", "e2el"]
    live_requests: list[int]
    simulated_requests: list[int]
    block_length: float
    kolmogorov_smirnov: float
    kolmogorov_smirnov_ci95: Interval
    kolmogorov_smirnov_floor: float | None
    wasserstein_ms: float
    wasserstein_ms_ci95: Interval
    wasserstein_ms_floor: float | None
    state: State
    """The worst of its figures, failed being worse than withheld."""
    figures: list[Figure]


class Completion(Part):
    """Shares of a stream's requests that completed, means over repetitions; 0 where none was counted."""

    variant: str
    point: float | None
    stream: str
    live: float
    simulated: float
    floor: float
    state: Literal["passed", "withheld"]
    sentence: str


class Throughput(Part):
    """Completed requests of a stream per second, means over repetitions.

    The error is relative, absent where nothing completed on the machine.
    """

    variant: str
    point: float | None
    stream: str
    live_per_s: float
    simulated_per_s: float
    error: float | None
    sentence: str


class Lag(Part):
    """How late the replayer sent; None where it was not recorded.

    ``cores``: what shares of a core the clients and the gateway took, which a CPU's backend that shares that
    core did not have.
    """

    variant: str
    point: float | None
    p99_ms: float | None
    cores: dict[str, float] = {}


class MachinePaces(Part):
    """How many times longer than by the profile the machine took in each repetition.

    Each was simulated with the times of the CPU's profiles so many times longer; None: as they are.
    """

    variant: str
    point: float | None
    factors: list[float | None]
    sentence: str


class Disturbance(Part):
    """What happened to the servers in a live repetition, the first being 1, that the scenario does not have.

    ``at_s`` is seconds since the repetition began, None if it could not be replayed.
    """

    variant: str
    point: float | None
    repetition: int
    at_s: float | None
    sentence: str


class Ratio(Part):
    """Of one side, with its interval. Without a value where anything to divide is not positive."""

    value: float | None
    ci95: Interval | None

    @property
    def direction(self) -> int | None:
        """1 above 1, -1 below, 0 for a tie, which is an interval that includes 1; None without interval."""
        if self.ci95 is None:
            return None
        return 1 if self.ci95[0] > 1 else -1 if self.ci95[1] < 1 else 0


class Conclusion(Part):
    """A ratio of one metric between two cases, on the machine and in the simulator.

    ``agrees`` is None where a side has no ratio or no interval.
    """

    kind: Literal["claim", "isolation_factor", "unified_over_separate", "speed_up"]
    of: str
    over: str
    stream: str
    metric: str
    live: Ratio
    simulated: Ratio
    agrees: bool | None
    sentence: str


class Ranking(Part):
    """The variants by the scenario's metric at one point, lowest first; ``agrees`` as in `Conclusion`."""

    point: float | None
    live: list[str]
    simulated: list[str]
    agrees: bool | None
    sentence: str


class Verdict(Part):
    """The whole. ``reasons`` say why it is not a pass, none if it is one."""

    schema_version: Literal[1] = 1
    scenario: str
    state: State
    sentence: str
    reasons: list[str]
    median_error: float | None
    """Median over all figures of the absolute relative error."""
    worst_error: float | None
    """The largest."""
    median_error_as_calibrated: float | None = None
    """The median had the simulations not been given the machine's pace; None where none was known."""
    tolerances: Tolerances
    comparisons: list[Comparison]
    completions: list[Completion]
    throughputs: list[Throughput] = []
    lags: list[Lag]
    steps: list[EngineSteps] = []
    legs: list[Legs] = []
    machine_paces: list[MachinePaces] = []
    disturbances: list[Disturbance] = []
    conclusions: list[Conclusion]
    rankings: list[Ranking]

    @property
    def passed(self) -> bool:
        """Whether the simulator stood the test."""
        return self.state == "passed"

    @property
    def pace(self) -> str | None:
        """What the machine's pace was and what it meant, or None where none was known."""
        factors = [one for paces in self.machine_paces for one in paces.factors if one is not None]
        if not factors or self.median_error_as_calibrated is None:
            return None
        return (
            f"In the replays the engines' steps took {min(factors):.3g} to {max(factors):.3g} times as long "
            "as by the profile, and each replay was simulated at its pace; as calibrated, the median error "
            f"would be {percent(self.median_error_as_calibrated)}."
        )

    @property
    def step_errors(self) -> str | None:
        """How far the profiles' steps are from the engines' over all variants, or None where no log tells."""
        found = [one.stretches for one in self.steps if one.stretches is not None]
        if not found:
            return None
        medians, tails = [one.median_error for one in found], [one.p90_error for one in found]
        return (
            f"By the profile, {found[0].length} of the engines' steps in a row take {_span(medians)} more or "
            f"less than they took (median), {_span(tails)} at the 90th percentile."
        )

    @property
    def slow_or_fast_steps(self) -> list[str]:
        """What is said of engines whose steps are further from the profile's than the median error may be."""
        return [one.sentence for one in self.steps if abs(one.error) > self.tolerances.median_error]


def _span(shares: list[float]) -> str:
    """``3%`` or ``3% to 8.1%``."""
    least, most = percent(min(shares)), percent(max(shares))
    return least if least == most else f"{least} to {most}"
