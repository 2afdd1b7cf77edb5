"""Capacity of a cluster: the load that meets the objectives, the saturation point and the knee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log, nan

from simsage.metrics import ALL
from simsage.planning.curve import Fails, LoadCurve
from simsage.planning.lab import Observed
from simsage.planning.objective import Objective
from simsage.statistics import NOTHING, Estimate, estimate

GRID = 12
STEPS = 3
"""Halvings of a grid step: a boundary is known to a 96th of the grid, 1 to 2% of the saturation point."""
FARTHEST = 2.0**12
EVALUATIONS = 3 + GRID + 2 * STEPS + 2
"""Loads at which a capacity simulates all replications, about."""


@dataclass(frozen=True, slots=True)
class Point:
    """The cluster at one load. ``metrics`` has those of the objectives, means over replications."""

    load: float
    saturated: bool
    """In half of the replications or more."""
    metrics: dict[str, Estimate]
    throughput: Estimate
    power: Estimate


@dataclass(frozen=True, slots=True)
class Capacity:
    """Loads as factors of the scenario's rates; ``slo_load`` has no value where there is no objective."""

    label: str
    rate: float | None
    """Requests per second of all open-loop streams at load 1."""
    slo_load: Estimate
    saturation: Estimate
    knee: Estimate
    points: list[Point]

    @property
    def meets(self) -> bool | None:
        """Whether load 1 is shown to be within the capacity; None where the interval leaves it open."""
        if self.slo_load.ci95 is None or self.slo_load.ci95[0] < 1 <= self.slo_load.ci95[1]:
            return None
        return self.slo_load.ci95[0] >= 1


def capacity_of(
    label: str, rate: float | None, curve: LoadCurve, objectives: Sequence[Objective]
) -> Capacity:
    """Find the three loads by a grid up to saturation and a bisection within it, in every replication.

    Each replication has a load at which *its* requests miss the objectives, or pile up; as the requests
    are the same at every load, that boundary is sharp and can be bisected. Replications are independent,
    so the boundaries' mean has a Student t interval, as every other estimate over replications. Bisecting
    the mean over replications instead would give one load and leave no interval. What is reported is the
    largest load known to hold: it errs by less than one last bisection step, and to the safe side.

    The knee is the load of the greatest power, throughput over mean time in the system (Giessler et al.,
    Computer Networks 2, 1978; Kleinrock, ICC 1979); in an M/M/1 queue that is half the saturation load.
    """
    top = _saturating(curve)
    grid = [top * step / GRID for step in range(1, GRID + 1)]
    curve.observe((r, load) for load in grid for r in curve.replications)
    tests: list[Fails] = [lambda seen: seen.saturated]
    if objectives:
        tests.append(lambda seen: not seen.meets(objectives))
    curve.bisect(tests, STEPS)
    steps = _between(curve, grid)
    found = [estimate([_held(curve, r, fails) for r in curve.replications]) for fails in tests]
    return Capacity(
        label=label,
        rate=rate,
        slo_load=found[1] if objectives else NOTHING,
        saturation=found[0],
        knee=estimate([_knee(curve, r, steps) for r in curve.replications]),
        points=[_point(load, curve.at(load), objectives) for load in grid],
    )


def _saturating(curve: LoadCurve) -> float:
    """The least power of two that saturates every replication, found from load 1 on."""
    load = 1.0
    while load > 1 / FARTHEST and _saturates(curve, load):
        load /= 2
    while load < FARTHEST and not _saturates(curve, load):
        load *= 2
    return load


def _saturates(curve: LoadCurve, load: float) -> bool:
    return all(seen.saturated for seen in curve.at(load))


def _held(curve: LoadCurve, replication: int, fails: Fails) -> float:
    """The load below the boundary; NaN where nothing failed, since then there is none."""
    low, high = curve.boundary(replication, fails)
    return low if high < inf else nan


def _power(seen: Observed) -> float:
    return seen.throughput / seen.residence_s if seen.residence_s else 0.0


def _powers(curve: LoadCurve, replication: int, loads: Sequence[float]) -> list[tuple[float, float]]:
    """Loads and powers, of those of ``loads`` that were tried."""
    wanted = set(loads)
    return [(load, _power(seen)) for load, seen in curve.of(replication) if load in wanted]


def _between(curve: LoadCurve, grid: Sequence[float]) -> list[float]:
    """Try the half steps beside each replication's best load; the grid with all half steps."""
    half = grid[0] / 2
    places: list[tuple[int, float]] = []
    for replication in curve.replications:
        best, _ = max(_powers(curve, replication, grid), key=lambda pair: pair[1])
        places += [(replication, best - half), (replication, best + half)]
    curve.observe(places)
    return [*grid, *(load - half for load in grid), grid[-1] + half]


def _knee(curve: LoadCurve, replication: int, loads: Sequence[float]) -> float:
    """The vertex of the parabola through the best load and its neighbours, of logarithms."""
    powers = _powers(curve, replication, loads)
    index = max(range(len(powers)), key=lambda i: powers[i][1])
    around = powers[index - 1 : index + 2] if index else []
    if len(around) < 3 or min(power for _, power in around) <= 0:
        return powers[index][0]
    (x0, y0), (x1, y1), (x2, y2) = ((log(load), log(power)) for load, power in around)
    left, right = (x1 - x0) * (y1 - y2), (x1 - x2) * (y1 - y0)
    bend = 2 * (left - right)
    return exp(x1 - ((x1 - x0) * left - (x1 - x2) * right) / bend) if bend else exp(x1)


def _point(load: float, seen: Sequence[Observed], objectives: Sequence[Objective]) -> Point:
    shown = {f"{one.stream}:{one.metric}": (one.stream, one.metric) for one in seen[0].judged(objectives)}
    shown = shown or {f"{ALL}:p99_e2el_ms": (ALL, "p99_e2el_ms")}
    return Point(
        load=load,
        saturated=2 * sum(one.saturated for one in seen) >= len(seen),
        metrics={
            label: estimate([one.rows[stream].get(metric, nan) for one in seen])
            for label, (stream, metric) in shown.items()
        },
        throughput=estimate([one.throughput for one in seen]),
        power=estimate([_power(one) for one in seen]),
    )
