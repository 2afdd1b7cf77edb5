"""Stages: where a pipeline's time goes."""

from __future__ import annotations

from simsage.paper.facts import Facts
from simsage.paper.table import Table
from simsage.paper.topics.side_effects import direction

TITLE = "Stages"
METRIC = "mean_e2el_ms"


def told(facts: Facts) -> list[str]:
    """The mean latency of each stage, baseline first, and whether the variant changes it."""
    spec = facts.experiment.main
    lines = []
    for point in facts.telling:
        cells = (spec.baseline, point), (spec.variant, point)
        for stage in stages(facts):
            values = [facts.metric(cell, METRIC, spec.stream, stage) for cell in cells]
            ratio = facts.ratio(METRIC, cells[1], cells[0], spec.stream, stage)
            lines.append(
                f"{stage}: {values[0]} ms on average with '{spec.baseline}', {values[1]} ms with "
                f"'{spec.variant}', {ratio} times: {direction(ratio)}."
            )
    return [" ".join(lines)]


def table(facts: Facts) -> Table:
    """A row for each sweep point, variant and stage."""
    spec = facts.experiment.main
    rows = [
        (
            f"{variant} at {facts.at(point)}" if point is not None else variant,
            stage or "whole",
            facts.metric((variant, point), METRIC, spec.stream, stage),
            facts.metric((variant, point), "p50_e2el_ms", spec.stream, stage),
            facts.metric((variant, point), "p99_e2el_ms", spec.stream, stage),
        )
        for point in facts.points
        for variant in facts.summary.variants
        for stage in [*stages(facts), ""]
    ]
    return Table(
        f"{facts.experiment.name}_stages",
        f"{facts.experiment.title}: latency of each stage of {spec.stream} and of the whole.",
        ("variant", "stage", "mean (ms)", "p50 (ms)", "p99 (ms)"),
        tuple(rows),
    )


def stages(facts: Facts) -> list[str]:
    """The stages of the main hypothesis's stream, in order."""
    return list(facts.evidence.document.streams[facts.experiment.main.stream].stages or {})
