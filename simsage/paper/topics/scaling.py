"""Scaling: throughput, speed-up, efficiency and the control plane's part by the number of backends."""

from __future__ import annotations

from simsage.formats import percent, share_with_interval
from simsage.paper.facts import ABSENT, Facts
from simsage.paper.numbers import Number
from simsage.paper.table import Table
from simsage.paper.topics.queues import measured
from simsage.statistics import Estimate

TITLE = "Scaling"
METRIC = "request_throughput"
OVERHEAD = "control plane deciding"


def told(facts: Facts) -> list[str]:
    """A paragraph for each variant, on the largest cluster against the smallest."""
    return [_told(facts, variant) for variant in facts.summary.variants]


def table(facts: Facts) -> Table:
    """A row for each variant and number of backends."""
    rows = [
        (
            variant,
            backends(facts, point),
            facts.metric((variant, point), METRIC),
            speed_up(facts, variant, point),
            efficiency(facts, variant, point),
            measured(facts, variant, point)[OVERHEAD],
            facts.metric((variant, point), "p99_ttft_ms"),
        )
        for variant in facts.summary.variants
        for point in facts.points
    ]
    return Table(
        f"{facts.experiment.name}_scaling",
        f"{facts.experiment.title}: throughput, speed-up over the fewest backends and its share of linear, "
        "paired by replication, and the share of time that the control plane decides.",
        ("variant", "backends", "throughput (1/s)", "speed-up", "efficiency", "overhead", "TTFT p99 (ms)"),
        tuple(rows),
    )


def backends(facts: Facts, point: float | None) -> Number:
    """How many backends that are scaled there are at a point."""
    assert point is not None, "scaling is over a sweep"
    factor = facts.source_of_figures.backends_per_point or 1.0
    count = round(point * factor)
    sources = [facts.pointer(f"points/{facts.points.index(point)}")]
    return facts.note((point, "backends"), str(count), Estimate(count, None, 0), sources)


def speed_up(facts: Facts, variant: str, point: float | None) -> Number:
    """The throughput over that at the first point."""
    if point == facts.points[0]:
        return ABSENT
    return facts.ratio(METRIC, (variant, point), (variant, facts.points[0]))


def efficiency(facts: Facts, variant: str, point: float | None) -> Number:
    """The speed-up over what it would be if it were linear."""
    speed = speed_up(facts, variant, point)
    if speed.value is None:
        return ABSENT
    linear = (backends(facts, point).value or 1.0) / (backends(facts, facts.points[0]).value or 1.0)
    interval = (speed.ci95[0] / linear, speed.ci95[1] / linear) if speed.ci95 else None
    found = Estimate(speed.value / linear, interval, facts.summary.replications)
    how = "paired speed-up over the ratio of the numbers of backends"
    return facts.note((variant, point, "efficiency"), share_with_interval(found), found, speed.sources, how)


def _told(facts: Facts, variant: str) -> str:
    first, last = facts.points[0], facts.points[-1]
    share = measured(facts, variant, last)[OVERHEAD]
    found = efficiency(facts, variant, last)
    text = (
        f"With '{variant}', {backends(facts, last)} backends complete "
        f"{facts.metric((variant, last), METRIC)} requests/s, {speed_up(facts, variant, last)} times what "
        f"{backends(facts, first)} complete: an efficiency of {found}, {_linear(found)}."
    )
    return f"{text} {_overhead(facts, variant, last, share)}"


def _linear(found: Number) -> str:
    if found.ci95 is None or found.value is None:
        return "not judged without an interval"
    if found.ci95[1] < 1:
        return "shown to be below linear"
    return "shown to be above linear" if found.ci95[0] > 1 else "whose interval includes linear"


def _overhead(facts: Facts, variant: str, point: float | None, share: Number) -> str:
    text = f"The control plane decides {share} of the time there"
    whole = facts.metric((variant, point), METRIC)
    if not share.value or whole.value is None:
        return f"{text}."
    ceiling = Estimate(whole.value / share.value, None, 0)
    number = facts.note(
        (variant, point, "ceiling"),
        f"{ceiling.value:,.0f}",
        ceiling,
        [*whole.sources, *share.sources],
        "the first over the second",
    )
    return (
        f"{text}, which leaves {_left(facts, variant, point, share)} of it; at the same cost of a decision "
        f"it would be the limit at {number} requests/s."
    )


def _left(facts: Facts, variant: str, point: float | None, share: Number) -> Number:
    left = 1 - (share.value or 0.0)
    return facts.note(
        (variant, point, "idle"), percent(left), Estimate(left, None, 0), share.sources, "1 - the source"
    )
