"""following: the boundaries of an ensemble's members, looked for near those of the best fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from simsage.planning.curve import Fails, Line, LoadCurve

ROUNDS = 12
"""Steps away from the best fit's boundary after which a member's is given up: as many as a grid has."""
EVALUATIONS = 16
"""Loads at which a member is simulated, about: two boundaries and a knee."""


def follow(members: LoadCurve, curve: LoadCurve, tests: Sequence[Fails], step: float, halvings: int) -> None:
    """Find each member's boundary of every test, to as fine a step as that of ``curve``.

    A member starts where the best fit holds in the same replication and goes on by ``step`` until its
    boundary is between two loads; that bracket is then bisected.
    """
    for _ in range(ROUNDS):
        if not (places := [place for fails in tests for place in _next(members, curve, fails, step)]):
            break
        members.observe(places)
    members.bisect(tests, halvings)


def _next(members: LoadCurve, curve: LoadCurve, fails: Fails, step: float) -> Iterator[tuple[Line, float]]:
    """The load to try next of each member whose boundary is not between two loads yet."""
    for line in members.lines:
        held, failed = curve.boundary(Line(line.replication), fails)
        if failed == inf:
            continue
        low, high = members.boundary(line, fails)
        start = held or failed
        if high == inf:
            yield line, low + step if low else start
        elif low == 0.0 and high > step:
            yield line, high - step
