"""Comparison: what two runs say of the same metrics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from simsage.statistics import (
    Estimate,
    estimate,
    paired_difference,
    paired_ratio,
    unpaired_difference,
    unpaired_ratio,
)
from simsage.summary import finite

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric on both sides, with the difference b - a and the ratio b / a.

    ``shown`` says whether the intervals of both leave out no effect; where there is no ratio, that of the
    difference alone. It is None where nothing can be judged: from one replication, from replications of
    which one has no value, or where the difference is the same in all, since nothing in it is random.
    """

    a: Estimate
    b: Estimate
    difference: Estimate
    ratio: Estimate
    shown: bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """A stream, a stage of one, or ``all``, at one sweep point.

    ``unpaired`` says why the replications are not compared pair by pair; None where they are.
    """

    variant_a: str
    variant_b: str
    point: float | None
    stream: str
    stage: str
    unpaired: str | None
    metrics: dict[str, Difference]


@dataclass(frozen=True, slots=True)
class Side:
    """Which run it is."""

    folder: str
    scenario: str
    digest: str
    seed: int
    replications: int
    environment: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that both runs have, and the names of what only one has."""

    schema_version: int
    a: Side
    b: Side
    rows: list[Row]
    only_in_a: list[str]
    only_in_b: list[str]
    profiles_that_differ: list[str]
    """Profiles of one name that are not the same."""

    def to_json(self) -> str:
        """Keys in a fixed order and no NaN."""
        return json.dumps(finite(asdict(self)), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @property
    def judged(self) -> list[bool]:
        """Whether each difference that could be judged is shown."""
        found = (one.shown for row in self.rows for one in row.metrics.values())
        return [shown for shown in found if shown is not None]


def difference_of(a: Sequence[float], b: Sequence[float], paired: bool) -> Difference:
    """The difference of one metric, given its value in each replication of both sides."""
    difference = (paired_difference if paired else unpaired_difference)(b, a)
    ratio = (paired_ratio if paired else unpaired_ratio)(b, a)
    return Difference(estimate(a), estimate(b), difference, ratio, _shown(difference, ratio))


def _shown(difference: Estimate, ratio: Estimate) -> bool | None:
    if difference.ci95 == (0.0, 0.0):
        return False
    against = [(difference, 0.0)] if ratio.value is None else [(difference, 0.0), (ratio, 1.0)]
    shown = [_excludes(found, none) for found, none in against]
    return None if None in shown else all(shown)


def _excludes(found: Estimate, none: float) -> bool | None:
    if found.ci95 is None or found.ci95[0] == found.ci95[1]:
        return None
    return not found.ci95[0] <= none <= found.ci95[1]
