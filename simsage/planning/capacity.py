"""Capacity of a cluster: the load that meets the objectives, the saturation point and the knee."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, nan

from simsage.doubt import Figure, doubted
from simsage.metrics import ALL
from simsage.planning.curve import Fails, Line, LoadCurve
from simsage.planning.following import follow
from simsage.planning.knee import climb, half_steps, knee, power
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
    slo_load: Figure
    saturation: Figure
    knee: Figure
    points: list[Point]

    @property
    def meets(self) -> bool | None:
        """Whether load 1 is shown to be within the capacity; None where the interval leaves it open."""
        ends = self.slo_load.whole
        if ends is None or ends[0] < 1 <= ends[1]:
            return None
        return ends[0] >= 1


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

    Where profiles have ensembles the three loads of their members are looked for near those of the best fit
    (`simsage.planning.following`), and the intervals hold how far they are from these.
    """
    top = _saturating(curve)
    grid = [top * step / GRID for step in range(1, GRID + 1)]
    curve.observe((line, load) for load in grid for line in curve.lines)
    tests: list[Fails] = [lambda seen: seen.unsustained]
    if objectives:
        tests.append(lambda seen: seen.unsustained or not seen.meets(objectives))
    curve.bisect(tests, STEPS)
    steps = half_steps(curve, grid)
    members = curve.members()
    follow(members, curve, tests, grid[0], STEPS)
    climb(members, curve, steps)
    found = [_estimated(curve, members, partial(_held, fails=fails)) for fails in tests]
    return Capacity(
        label=label,
        rate=rate,
        slo_load=found[1] if objectives else NOTHING,
        saturation=found[0],
        knee=_estimated(curve, members, partial(knee, loads=steps)),
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
    return all(seen.unsustained for seen in curve.at(load))


def _estimated(curve: LoadCurve, members: LoadCurve, load: Callable[[LoadCurve, Line], float]) -> Estimate:
    """A load of each replication, with the members' differences from that of the same replication."""
    found = [load(curve, line) for line in curve.lines]
    return doubted(estimate(found), [load(members, line) - found[line.replication] for line in members.lines])


def _held(curve: LoadCurve, line: Line, fails: Fails) -> float:
    """The load below the boundary; NaN where nothing failed, since then there is none."""
    low, high = curve.boundary(line, fails)
    return low if high < inf else nan


def _known(values: Iterable[float]) -> Estimate:
    """No value where a percentile lies among the lost in a replication."""
    found = list(values)
    return NOTHING if inf in found else estimate(found)


def _point(load: float, seen: Sequence[Observed], objectives: Sequence[Objective]) -> Point:
    shown = {f"{one.stream}:{one.metric}": (one.stream, one.metric) for one in seen[0].judged(objectives)}
    shown = shown or {f"{ALL}:p99_e2el_ms": (ALL, "p99_e2el_ms")}
    return Point(
        load=load,
        saturated=2 * sum(one.unsustained for one in seen) >= len(seen),
        metrics={
            label: _known(one.rows[stream].get(metric, nan) for one in seen)
            for label, (stream, metric) in shown.items()
        },
        throughput=estimate([one.throughput for one in seen]),
        power=estimate([power(one) for one in seen]),
    )
