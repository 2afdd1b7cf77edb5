"""Latency: how the main hypothesis's metric goes with the sweep, and all latencies by stream."""

from __future__ import annotations

from simsage.formats import point_label
from simsage.metrics import ALL
from simsage.paper.facts import Facts
from simsage.paper.table import Cell, Table
from simsage.verdict import metric_name, spoken

TITLE = "Trends"
COLUMNS = {
    "throughput (1/s)": "request_throughput",
    "TTFT p50 (ms)": "p50_ttft_ms",
    "TTFT p99 (ms)": "p99_ttft_ms",
    "TPOT p99 (ms)": "p99_tpot_ms",
    "latency p50 (ms)": "p50_e2el_ms",
    "latency p99 (ms)": "p99_e2el_ms",
    "SLO met": "slo_attainment",
}


def told(facts: Facts) -> list[str]:
    """A sentence for each variant, on the metric of the main hypothesis and the throughput."""
    spec = facts.experiment.main
    ends = list(dict.fromkeys([facts.points[0], *facts.telling]))
    lines = []
    for variant in facts.summary.variants:
        found = [_place(facts, variant, point) for point in ends]
        lines.append(f"With '{variant}', {spec.stream} {spoken(spec)} is {'; '.join(found)}.")
    return [" ".join(lines)]


def table(facts: Facts) -> Table:
    """A row for each sweep point, variant and stream; columns that no row has are left out."""
    names = dict.fromkeys(row.stream for row in facts.summary.rows if row.stream != ALL)
    rows: list[tuple[Cell, ...]] = []
    for point in facts.points:
        for variant in facts.summary.variants:
            for stream in names:
                rows += _row(facts, variant, point, stream)
    heads = (*([facts.summary.sweep] if facts.summary.sweep else []), "variant", "stream", *COLUMNS, "state")
    return Table(
        f"{facts.experiment.name}_latency",
        f"{facts.experiment.title}: latencies by stream; ± is half of the 95% interval over replications.",
        heads,
        tuple(rows),
    ).known_columns()


def _row(facts: Facts, variant: str, point: float | None, stream: str) -> list[tuple[Cell, ...]]:
    row = facts.summary.find(variant, point, stream)
    if row is None:
        return []
    axis = [] if point is None else [point_label(point)]
    metrics = (facts.metric((variant, point), metric, stream) for metric in COLUMNS.values())
    return [(*axis, variant, stream, *metrics, row.state)]


def _place(facts: Facts, variant: str, point: float | None) -> str:
    spec = facts.experiment.main
    cell = (variant, point)
    metric = metric_name(spec)
    unit = " ms" if metric.endswith("_ms") else ""
    value = facts.metric(cell, metric, spec.stream)
    whole = facts.metric(cell, "request_throughput")
    at = f" at {facts.at(point)}" if point is not None else ""
    saturated = ", saturated" if facts.row(cell).saturated else ""
    return f"{value}{unit}{at} ({whole} requests/s completed{saturated})"
