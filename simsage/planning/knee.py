"""The knee: the load of the greatest power, throughput over mean time in the system."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from simsage.planning.curve import Line, LoadCurve
from simsage.planning.lab import Observed


def power(seen: Observed) -> float:
    """Requests per second over mean seconds in the system, 0 where none completed."""
    return seen.throughput / seen.residence_s if seen.residence_s else 0.0


def half_steps(curve: LoadCurve, grid: Sequence[float]) -> list[float]:
    """Try the half steps beside each line's best load; the grid with all half steps, ascending."""
    half = grid[0] / 2
    places: list[tuple[Line, float]] = []
    for line in curve.lines:
        best, _ = max(_powers(curve, line, grid), key=lambda pair: pair[1])
        places += [(line, best - half), (line, best + half)]
    curve.observe(places)
    return sorted([*grid, *(load - half for load in grid), grid[-1] + half])


def climb(members: LoadCurve, curve: LoadCurve, steps: Sequence[float]) -> None:
    """Try the members at the loads around their replication's best, and on until a best is between others."""
    near = {line.replication: around(curve, line, steps) for line in curve.lines}
    members.observe((line, load) for line in members.lines for load, _ in near[line.replication])
    while places := [place for line in members.lines for place in _beyond(members, line, steps)]:
        members.observe(places)


def around(curve: LoadCurve, line: Line, loads: Sequence[float]) -> list[tuple[float, float]]:
    """The best of ``loads`` that were tried and its neighbours, with their powers."""
    powers = _powers(curve, line, loads)
    index = max(range(len(powers)), key=lambda i: powers[i][1])
    return powers[max(index - 1, 0) : index + 2]


def knee(curve: LoadCurve, line: Line, loads: Sequence[float]) -> float:
    """The vertex of the parabola through the best load and its neighbours, of logarithms."""
    points = around(curve, line, loads)
    best = max(points, key=lambda pair: pair[1])[0]
    if len(points) < 3 or min(height for _, height in points) <= 0:
        return best
    (x0, y0), (x1, y1), (x2, y2) = ((log(load), log(height)) for load, height in points)
    left, right = (x1 - x0) * (y1 - y2), (x1 - x2) * (y1 - y0)
    bend = 2 * (left - right)
    return exp(x1 - ((x1 - x0) * left - (x1 - x2) * right) / bend) if bend else exp(x1)


def _powers(curve: LoadCurve, line: Line, loads: Sequence[float]) -> list[tuple[float, float]]:
    """Loads and powers, of those of ``loads`` that were tried."""
    wanted = set(loads)
    return [(load, power(seen)) for load, seen in curve.of(line) if load in wanted]


def _beyond(curve: LoadCurve, line: Line, steps: Sequence[float]) -> list[tuple[Line, float]]:
    """The step past the best load where that is the first or the last that was tried."""
    tried = [load for load, _ in _powers(curve, line, steps)]
    best = max(_powers(curve, line, steps), key=lambda pair: pair[1])[0]
    at = steps.index(best)
    places = [at - 1] * (best == tried[0]) + [at + 1] * (best == tried[-1])
    return [(line, steps[place]) for place in places if 0 <= place < len(steps)]
