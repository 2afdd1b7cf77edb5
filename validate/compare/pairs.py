"""Pairs: which cases a scenario compares, and in what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from simcore.metrics import LATENCIES
from simcore.scenario.document import ScenarioDocument, VerdictSpec
from validate.compare.columns import ALL
from validate.compare.latencies import Measured, streams_of
from validate.compare.wording import spoken

Kind = Literal["claim", "isolation_factor", "unified_over_separate", "speed_up"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One figure of a case; ``statistic`` plays no part in rates."""

    stream: str
    metric: str
    statistic: str

    def __str__(self) -> str:
        what = f"{self.statistic} {spoken(self.metric)}" if self.metric in LATENCIES else spoken(self.metric)
        return f"{what} of {'all streams' if self.stream == ALL else self.stream}"


THROUGHPUT = Quantity(ALL, "request_throughput", "mean")


@dataclass(frozen=True, slots=True)
class Pair:
    """One conclusion: ``of`` over ``over`` in one quantity."""

    kind: Kind
    of: Measured
    over: Measured
    quantity: Quantity


def quantity_of(spec: VerdictSpec) -> Quantity:
    """What the scenario judges."""
    return Quantity(spec.stream, spec.metric, spec.statistic)


def pairs_of(spec: VerdictSpec | None, cases: Sequence[Measured]) -> list[Pair]:
    """All conclusions that the cases allow; those of the scenario's metric stay within one sweep point."""
    found = list(_speed_ups(cases))
    for point in dict.fromkeys(one.case.point for one in cases):
        here = [one for one in cases if one.case.point == point]
        if spec is not None:
            found += _at_one_point(spec, here)
    return found


def _at_one_point(spec: VerdictSpec, here: Sequence[Measured]) -> Iterator[Pair]:
    quantity = quantity_of(spec)
    named = {one.case.variant: one for one in here}
    if spec.variant in named and spec.baseline in named:
        yield Pair("claim", named[spec.variant], named[spec.baseline], quantity)
    alone = [one for one in here if streams_of(one.case) == [spec.stream]]
    shared = [one for one in here if len(streams_of(one.case)) > 1]
    for of, over in product(shared, alone):
        yield Pair("isolation_factor", of, over, quantity)
    unified, separate = ([one for one in here if _plane(one) == kind] for kind in ("unified", "separate"))
    for of, over in product(unified, separate):
        yield Pair("unified_over_separate", of, over, quantity)


def _speed_ups(cases: Sequence[Measured]) -> Iterator[Pair]:
    """Within a variant, each number of backends against the smallest."""
    for variant in dict.fromkeys(one.case.variant for one in cases):
        mine = [one for one in cases if one.case.variant == variant]
        fewest = min(mine, key=lambda one: backends(one.case.document))
        for one in mine:
            if backends(one.case.document) > backends(fewest.case.document):
                yield Pair("speed_up", one, fewest, THROUGHPUT)


def backends(document: ScenarioDocument) -> int:
    """How many there are."""
    return sum(one.count for one in document.backends.values())


def _plane(one: Measured) -> str:
    return one.case.document.control_plane.kind
