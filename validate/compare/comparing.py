"""One stream and metric of one case: every figure judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from validate.compare.case import Case
from validate.compare.distance import (
    STATISTICS,
    Statistic,
    kolmogorov_smirnov,
    mean_statistics,
    pooled,
    wasserstein,
)
from validate.compare.floor import Floor, floor_of
from validate.compare.intervals import Intervals, intervals
from validate.compare.latencies import Samples
from validate.compare.verdict import Comparison, Figure, Interval, State, Tolerances
from validate.compare.withheld import too_few
from validate.compare.wording import ms, percent, spoken


@dataclass(frozen=True, slots=True)
class _Found:
    """What is known of the samples before anything is judged."""

    label: str
    samples: Samples
    floor: Floor | None
    intervals: Intervals
    doubt: str | None


def compare(
    case: Case, samples: Samples, doubt: str | None, tolerances: Tolerances, seed: int, resamples: int
) -> Comparison:
    """Judge every statistic. Each repetition has at least one request; ``doubt`` is why all are withheld."""
    found = _Found(
        label=f"{spoken(samples.metric)} of {samples.stream} with {case.label}",
        samples=samples,
        floor=floor_of(samples.live),
        intervals=intervals(samples, seed, resamples),
        doubt=doubt,
    )
    return _document(case, found, _figures(found, tolerances))


def _document(case: Case, found: _Found, figures: list[Figure]) -> Comparison:
    samples, floor = found.samples, found.floor
    live, simulated = pooled(samples.live), pooled(samples.simulated)
    return Comparison.model_validate(
        {
            "variant": case.variant,
            "point": case.point,
            "stream": samples.stream,
            "metric": samples.metric,
            "live_requests": [one.size for one in samples.live],
            "simulated_requests": [one.size for one in samples.simulated],
            "block_length": found.intervals.block,
            "kolmogorov_smirnov": kolmogorov_smirnov(live, simulated),
            "kolmogorov_smirnov_ci95": found.intervals.kolmogorov_smirnov,
            "kolmogorov_smirnov_floor": floor.kolmogorov_smirnov if floor else None,
            "wasserstein_ms": 1000 * wasserstein(live, simulated),
            "wasserstein_ms_ci95": _in_ms(found.intervals.wasserstein),
            "wasserstein_ms_floor": 1000 * floor.wasserstein if floor else None,
            "state": _worst([figure.state for figure in figures]),
            "figures": figures,
        }
    )


def _figures(found: _Found, tolerances: Tolerances) -> list[Figure]:
    live, simulated = mean_statistics(found.samples.live), mean_statistics(found.samples.simulated)
    return [
        _figure(found, index, 1000 * float(live[index]), 1000 * float(simulated[index]), tolerances)
        for index in range(len(STATISTICS))
    ]


def _figure(found: _Found, index: int, live: float, simulated: float, tolerances: Tolerances) -> Figure:
    statistic = STATISTICS[index]
    tolerance = float(getattr(tolerances, statistic))
    floor = 1000 * float(found.floor.values[index]) if found.floor else None
    error = (simulated - live) / live if live > 0 else None
    state, why = _judged(found, statistic, simulated - live, error, tolerance, floor)
    return Figure(
        statistic=statistic,
        live_ms=live,
        simulated_ms=simulated,
        error_ms=simulated - live,
        error_ms_ci95=_in_ms(found.intervals.errors[index]),
        error=error,
        error_ci95=None if error is None else _known(found.intervals.relative[index]),
        floor_ms=floor,
        tolerance=tolerance,
        state=state,
        sentence=f"{statistic} {found.label}: {_apart(live, simulated, error)}; {why}.",
    )


def _judged(
    found: _Found,
    statistic: Statistic,
    error_ms: float,
    error: float | None,
    tolerance: float,
    floor: float | None,
) -> tuple[State, str]:
    """The state and its reason."""
    doubt = found.doubt or too_few(statistic, found.samples)
    if doubt or error is None:
        return "withheld", f"withheld, because {doubt or 'nothing is relative to 0 ms'}"
    if abs(error) <= tolerance:
        return "passed", f"within the tolerance of {percent(tolerance)}"
    if floor is None:
        return "failed", f"beyond the tolerance of {percent(tolerance)}; 1 live repetition shows no floor"
    if abs(error_ms) <= floor:
        return "passed", f"beyond {percent(tolerance)}, but within the floor of {ms(floor)}"
    return "failed", f"beyond the tolerance of {percent(tolerance)} and the floor of {ms(floor)}"


def _apart(live: float, simulated: float, error: float | None) -> str:
    size = f"{ms(abs(simulated - live))}" + ("" if error is None else f" or {percent(abs(error))}")
    return f"{ms(simulated)} simulated, {ms(live)} live, {size} {'less' if simulated < live else 'more'}"


def _in_ms(interval: Interval) -> Interval:
    return 1000 * interval[0], 1000 * interval[1]


def _known(interval: Interval) -> Interval | None:
    return interval if bool(np.all(np.isfinite(interval))) else None


def _worst(states: Sequence[State]) -> State:
    return max(states, key=("passed", "withheld", "failed").index)
