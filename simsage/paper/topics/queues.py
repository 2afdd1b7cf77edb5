"""Queues: what was measured of queues and utilisation, and whether it goes with the effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simsage.formats import percent, plain, point_label
from simsage.paper.facts import ABSENT, Facts
from simsage.paper.numbers import Number
from simsage.paper.table import Cell, Table
from simsage.verdict import Judgement, judge, spoken

TITLE = "Mechanism"
APART = 0.1
"""Relative differences below it are not spoken of."""
LEAST_SHARE, LEAST_COUNT = 0.01, 0.1
"""Nor are differences of less than a point, or of a tenth of a request."""
BACKENDS = {
    "utilisation": "utilisation",
    "batch_mean": "batch",
    "waiting_mean": "queue",
    "kv_mean": "KV in use",
    "preemptions": "preemptions",
    "gap_share": "in decode gaps",
}
IN_GAPS = "embedding in decode gaps"
CONTROL_PLANES = {
    "waiting_mean": ("control plane queue", "sum"),
    "decision_share": ("control plane deciding", "largest"),
}
"""Separate has one for each service: what waits at all of them, and how busy the busiest is."""
SHARES = ("utilisation", "kv_mean", "decision_share", "gap_share")
ALONE = {"kv_mean": "LLM", "preemptions": "LLM", "gap_share": "EMBEDDING"}
"""What only one service has."""

UTILISATION = " utilisation"

Measured = dict[str, Number]
"""Each quantity by its name in words."""


def told(facts: Facts) -> list[str]:
    """A paragraph for each telling point: the variant of the main hypothesis against its baseline."""
    spec = facts.experiment.main
    judged = {one.point: one for one in judge(spec, facts.samples).points}
    return [_told(facts, judged[point]) for point in facts.telling]


def table(facts: Facts) -> Table:
    """A row for each sweep point and variant."""
    axis = [facts.summary.sweep] if facts.summary.sweep else []
    cells = [(variant, point) for point in facts.points for variant in facts.summary.variants]
    found = {cell: measured(facts, *cell) for cell in cells}
    names = list(dict.fromkeys(name for one in found.values() for name in one))
    rows: list[tuple[Cell, ...]] = [
        (
            *([] if point is None else [point_label(point)]),
            variant,
            *(one.get(name, ABSENT) for name in names),
        )
        for (variant, point), one in found.items()
    ]
    return Table(
        f"{facts.experiment.name}_queues",
        f"{facts.experiment.title}: means over backends of a kind, time and replications; queues and "
        "batches are in requests.",
        (*axis, "variant", *names),
        tuple(rows),
    )


def measured(facts: Facts, variant: str, point: float | None) -> Measured:
    """What backends by service, and control planes, did in one cell."""
    summary = facts.summary
    backends = [
        (i, row) for i, row in enumerate(summary.resources) if (row.variant, row.point) == (variant, point)
    ]
    found: Measured = {}
    for service in dict.fromkeys(row.service for _, row in backends):
        rows = [(i, row) for i, row in backends if row.service == service]
        fields = [field for field in BACKENDS if ALONE.get(field, service) == service]
        for field in fields:
            key = (variant, point, service, field)
            found[f"{_spoken(service)} {BACKENDS[field]}"] = _combined(facts, key, "resources", rows, "mean")
    planes = [
        (i, r) for i, r in enumerate(summary.control_planes) if (r.variant, r.point) == (variant, point)
    ]
    for field, (name, how) in CONTROL_PLANES.items():
        key = (variant, point, "control plane", field)
        found[name] = _combined(facts, key, "control_planes", planes, how)
    return found


def _spoken(service: str) -> str:
    return service if service == "LLM" else service.lower()


def _combined(
    facts: Facts, key: tuple[Any, ...], part: str, rows: Sequence[tuple[int, Any]], how: str
) -> Number:
    """The field that the key ends with."""
    field = key[-1]
    values = [getattr(row, field) for _, row in rows]
    sources = [facts.pointer(f"{part}/{i}/{field}") for i, _ in rows]
    return facts.combined(key, values, how, percent if field in SHARES else plain, sources)


def _told(facts: Facts, judged: Judgement) -> str:
    spec = facts.experiment.main
    ours, theirs = (measured(facts, name, judged.point) for name in (spec.variant, spec.baseline))
    where = f"At {facts.at(judged.point)} the" if judged.point is not None else "The"
    busy = {name: one for name, one in theirs.items() if name.endswith(UTILISATION) and name in ours}
    busiest = max(busy, key=lambda name: busy[name].value or 0.0)
    text = (
        f"{where} busiest backends are the {busiest.removesuffix(UTILISATION)} ones, at work "
        f"{theirs[busiest]} of the time with '{spec.baseline}' and {ours[busiest]} with '{spec.variant}'."
    )
    text += "".join(
        _in_gaps(name, one) for name, one in zip((spec.variant, spec.baseline), (ours, theirs), strict=True)
    )
    apart = [name for name in ours if name in theirs and name != IN_GAPS and _apart(ours[name], theirs[name])]
    if not apart:
        none = "No queue, batch or utilisation differs by more than a tenth."
        return f"{text} {none} {_alike(judged, spoken(spec))}"
    listed = ", ".join(f"{name} {ours[name]} against {theirs[name]}" for name in apart)
    return (
        f"{text} More than a tenth apart are, '{spec.variant}' first: {listed}. {_goes(judged, spoken(spec))}"
    )


def _in_gaps(variant: str, found: Measured) -> str:
    share = found.get(IN_GAPS)
    if share is None or not share.value:
        return ""
    return f" With '{variant}', {share} of the embedding work runs in the gaps between decode steps."


def _apart(one: Number, other: Number) -> bool:
    a, b = one.value or 0.0, other.value or 0.0
    least = LEAST_SHARE if one.text.endswith("%") else LEAST_COUNT
    return abs(a - b) > max(least, APART * max(abs(a), abs(b)))


def _effect(judged: Judgement) -> bool:
    interval = judged.ratio.ci95
    return interval is not None and not interval[0] <= 1 <= interval[1]


def _alike(judged: Judgement, metric: str) -> str:
    if _effect(judged):
        return f"So they do not explain the effect on {metric} that is shown there."
    return f"That agrees with no effect on {metric} being shown there."


def _goes(judged: Judgement, metric: str) -> str:
    if _effect(judged):
        return f"The effect on {metric} goes with these; which of them brings it about is not shown."
    return f"Yet no effect on {metric} is shown there."
