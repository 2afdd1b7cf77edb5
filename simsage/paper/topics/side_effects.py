"""Side effects: what else the variant changes, for better or worse."""

from __future__ import annotations

from simcore.scenario.document import VerdictSpec
from simsage.formats import point_label
from simsage.paper.facts import ABSENT, Facts
from simsage.paper.numbers import Number
from simsage.paper.table import Cell, Table
from simsage.verdict import metric_name, spoken

TITLE = "Side effects"


def told(facts: Facts) -> list[str]:
    """A sentence for each side effect and telling point."""
    return [
        " ".join(
            _told(facts, spec, point) for spec in facts.experiment.side_effects for point in facts.telling
        )
    ]


def table(facts: Facts) -> Table:
    """A row for each side effect and sweep point."""
    axis = [facts.summary.sweep] if facts.summary.sweep else []
    rows: list[tuple[Cell, ...]] = [
        (
            *([] if point is None else [point_label(point)]),
            f"{spec.stream} {spoken(spec)}",
            spec.variant,
            facts.metric((spec.variant, point), metric_name(spec), spec.stream),
            spec.baseline,
            facts.metric((spec.baseline, point), metric_name(spec), spec.stream),
            _ratio(facts, spec, point),
            direction(_ratio(facts, spec, point)),
        )
        for spec in facts.experiment.side_effects
        for point in facts.points
    ]
    return Table(
        f"{facts.experiment.name}_side_effects",
        f"{facts.experiment.title}: what nothing was claimed of, with the paired ratio and its 95% interval.",
        (*axis, "metric", "variant", "value", "against", "value there", "ratio", "effect"),
        tuple(rows),
    )


def direction(ratio: Number) -> str:
    """Whether a paired ratio shows a change, and which."""
    if ratio.ci95 is None or ratio.ci95[0] == ratio.ci95[1] != 1:
        return "not judged"
    if ratio.ci95[0] > 1:
        return "higher"
    return "lower" if ratio.ci95[1] < 1 else "no effect shown"


def _told(facts: Facts, spec: VerdictSpec, point: float | None) -> str:
    ratio = _ratio(facts, spec, point)
    at = f" at {facts.at(point)}" if point is not None else ""
    if ratio is ABSENT:
        return f"{spec.claim}{at}: not judged, a replication has none."
    against = f"'{spec.variant}' against '{spec.baseline}'"
    return f"{spec.claim}{at}: {direction(ratio)}, {ratio} times in {spoken(spec)} ({against})."


def _ratio(facts: Facts, spec: VerdictSpec, point: float | None) -> Number:
    cells = (spec.variant, point), (spec.baseline, point)
    return facts.ratio(metric_name(spec), *cells, stream=spec.stream)
