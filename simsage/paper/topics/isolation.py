"""Isolation: how much a neighbour inflates a tenant's tail, with isolation and without, and what is fair."""

from __future__ import annotations

from simsage.paper.facts import Facts
from simsage.paper.numbers import Number
from simsage.paper.table import Cell, Table
from simsage.paper.topics.side_effects import direction
from simsage.verdict import metric_name, spoken

TITLE = "Isolation"
FAIRNESS = "jain_fairness"


def told(facts: Facts) -> list[str]:
    """The inflation over the tenant alone, and the fairness index."""
    return [" ".join(_told(facts, point)) for point in facts.telling]


def table(facts: Facts) -> Table:
    """A row for each variant and sweep point."""
    spec = facts.experiment.main
    rows: list[tuple[Cell, ...]] = []
    for point in facts.points:
        for variant in facts.summary.variants:
            cell = (variant, point)
            rows.append(
                (
                    f"{variant} at {facts.at(point)}" if point is not None else variant,
                    facts.metric(cell, metric_name(spec), spec.stream),
                    inflation(facts, variant, point),
                    facts.metric(cell, "slo_attainment", spec.stream),
                    *(facts.metric(cell, "request_throughput", name) for name in _others(facts)),
                    facts.metric(cell, FAIRNESS),
                )
            )
    others = [f"{name} throughput (1/s)" for name in _others(facts)]
    return Table(
        f"{facts.experiment.name}_isolation",
        f"{facts.experiment.title}: the {spec.stream} tenant's tail, its inflation over that with "
        f"'{facts.experiment.reference}' (paired, 95% interval), and Jain's index over what tenants got of "
        "what they asked for.",
        ("variant", f"{spoken(spec)} (ms)", "inflation", "SLO met", *others, "Jain's index"),
        tuple(rows),
    )


def inflation(facts: Facts, variant: str, point: float | None) -> Number:
    """The main metric over what it is with the reference."""
    spec = facts.experiment.main
    cells = (variant, point), (facts.experiment.reference, point)
    return facts.ratio(metric_name(spec), *cells, stream=spec.stream)


def _told(facts: Facts, point: float | None) -> list[str]:
    spec, alone = facts.experiment.main, facts.experiment.reference
    at = f"At {facts.at(point)}: " if point is not None else ""
    sides = [
        f"'{name}' is {inflation(facts, name, point)} times that" for name in (spec.baseline, spec.variant)
    ]
    back = direction(inflation(facts, spec.variant, point))
    rest = "So what the tenant has alone is not restored." if back == "higher" else f"Against alone: {back}."
    fair = facts.ratio(FAIRNESS, (spec.variant, point), (spec.baseline, point))
    values = [facts.metric((name, point), FAIRNESS) for name in (spec.baseline, spec.variant)]
    return [
        f"{at}{spec.stream} {spoken(spec)} with {sides[0]} with '{alone}', and with {sides[1]}.",
        rest,
        f"Jain's index is {values[0]} with '{spec.baseline}' and {values[1]} with '{spec.variant}': "
        f"{direction(fair)}, {fair} times.",
    ]


def _others(facts: Facts) -> list[str]:
    streams = facts.evidence.document.streams
    return [name for name in streams if name != facts.experiment.main.stream]
