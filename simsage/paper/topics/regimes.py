"""Regimes: at which points of two dimensions the variant gains, ties and loses."""

from __future__ import annotations

from collections import Counter

from simcore.scenario.document import VerdictSpec
from simsage.formats import point_label
from simsage.paper.facts import Facts
from simsage.paper.regime import Regime, regimes
from simsage.paper.table import Cell, Table
from simsage.statistics import Estimate
from simsage.verdict import metric_name, spoken

TITLE = "Regimes"


def told(facts: Facts) -> list[str]:
    """For each hypothesis how many points there are of each kind, and where."""
    return [_told(facts, spec) for spec in facts.experiment.hypotheses]


def table(facts: Facts) -> Table:
    """A row for each hypothesis and point."""
    rows = [
        row for number, spec in enumerate(facts.experiment.hypotheses) for row in _rows(facts, number, spec)
    ]
    return Table(
        f"{facts.experiment.name}_regimes",
        f"{facts.experiment.title}: the paired ratio of each hypothesis and its 95% interval by total rate "
        "and share of embeddings.",
        (facts.summary.sweep or "", "rate (1/s)", "share", "metric", "variant", "against", "ratio", "regime"),
        tuple(rows),
    )


def _rows(facts: Facts, number: int, spec: VerdictSpec) -> list[tuple[Cell, ...]]:
    metric = f"{spec.stream} {spoken(spec)}"
    return [
        (
            point_label(one.judgement.point),
            point_label(one.rate),
            f"{one.share:.0%}",
            metric,
            spec.variant,
            spec.baseline,
            facts.judged(number, one.judgement, spec.stream, metric_name(spec)),
            one.kind,
        )
        for one in regimes(facts, spec)
    ]


def _told(facts: Facts, spec: VerdictSpec) -> str:
    found = regimes(facts, spec)
    counts = Counter(one.kind for one in found)
    said = ", ".join(
        f"{_count(facts, spec, kind, counts[kind])} {kind}{_where(found, kind)}"
        for kind in ("gain", "tie", "loss")
    )
    return f"*{spec.claim}.* Of the {_count(facts, spec, 'points', len(found))} points: {said}."


def _count(facts: Facts, spec: VerdictSpec, kind: str, count: int) -> str:
    key = ("regimes", spec.variant, spec.stream, spec.metric, kind)
    how = "how many points have a whole interval on that side of 1, or none"
    return str(facts.note(key, str(count), Estimate(count, None, 0), [facts.pointer("points")], how))


def _where(found: list[Regime], kind: str) -> str:
    places = [f"`{one.rate:g}/s at {one.share:.0%}`" for one in found if one.kind == kind]
    return f" ({', '.join(places)})" if places and kind != "tie" else ""
