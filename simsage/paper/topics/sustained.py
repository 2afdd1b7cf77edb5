"""Sustained throughput: the highest rate that each variant keeps up with, and the gain there."""

from __future__ import annotations

from itertools import takewhile

from simsage.formats import point_label
from simsage.paper.facts import ABSENT, Facts
from simsage.paper.numbers import Number
from simsage.paper.table import Table
from simsage.paper.topics.side_effects import direction
from simsage.saturation import State, state_of

TITLE = "Sustained throughput"
METRIC = "request_throughput"


def told(facts: Facts) -> list[str]:
    """What each variant sustains, the gain, and how far it can be trusted."""
    spec = facts.experiment.main
    kept = [_sentence(facts, name) for name in (spec.baseline, spec.variant)]
    return [" ".join([*kept, _gain_told(facts), _limits(facts), _past(facts)])]


def table(facts: Facts) -> Table:
    """A row for each variant."""
    rows = []
    for variant in facts.summary.variants:
        point = sustained(facts, variant)
        cell = (variant, point)
        there = ABSENT if point is None else facts.metric(cell, METRIC)
        goodput = ABSENT if point is None else facts.metric(cell, "request_goodput")
        last = facts.metric((variant, facts.points[-1]), METRIC)
        gain = gain_of(facts) if variant == facts.experiment.main.variant else ABSENT
        rows.append((variant, point_label(point) or "none", there, goodput, last, gain))
    return Table(
        f"{facts.experiment.name}_sustained",
        f"{facts.experiment.title}: the highest {facts.summary.sweep} that a variant keeps up with in every "
        "replication, what it completes per second there and at the last point, and the paired gain.",
        ("variant", "sustained", "throughput (1/s)", "goodput (1/s)", "throughput at the last", "gain"),
        tuple(rows),
    )


def sustained(facts: Facts, variant: str) -> float | None:
    """The last of the points, from the first on, at which no replication falls behind."""
    kept = list(takewhile(lambda point: _keeps_up(facts, variant, point), facts.points))
    return kept[-1] if kept else None


def gain_of(facts: Facts) -> Number:
    """The throughput that the variant sustains over that of the baseline, paired; absent without either."""
    spec = facts.experiment.main
    ours, theirs = sustained(facts, spec.variant), sustained(facts, spec.baseline)
    if ours is None or theirs is None:
        return ABSENT
    return facts.ratio(METRIC, (spec.variant, ours), (spec.baseline, theirs))


def _keeps_up(facts: Facts, variant: str, point: float | None) -> bool:
    seen = facts.evidence.replications[variant, point]
    return all(state_of([one.samples[0]]) is not State.SATURATED for one in seen)


def _sentence(facts: Facts, variant: str) -> str:
    point = sustained(facts, variant)
    if point is None:
        return f"'{variant}' falls behind at every rate that was tried."
    return f"'{variant}' keeps up to {facts.at(point)} ({facts.metric((variant, point), METRIC)} completed)."


def _gain_told(facts: Facts) -> str:
    spec, gain = facts.experiment.main, gain_of(facts)
    if gain is ABSENT:
        return "So there is no gain to tell of."
    shown = {"higher": "a gain is shown", "lower": "a loss is shown"}.get(direction(gain), "no gain is shown")
    return f"Before saturation '{spec.variant}' sustains {gain} times the throughput: {shown}."


def _limits(facts: Facts) -> str:
    spec = facts.experiment.main
    last = facts.points[-1]
    open_ended = [name for name in (spec.baseline, spec.variant) if sustained(facts, name) == last]
    tried = ", ".join(point_label(point) for point in facts.points)
    text = f"Rates tried were {tried}; what lies between two of them is not seen."
    if not open_ended:
        return text
    return f"{text} {' and '.join(open_ended)} did not saturate, so what it sustains is at least that."


def _past(facts: Facts) -> str:
    spec, last = facts.experiment.main, facts.points[-1]
    if any(_keeps_up(facts, name, last) for name in (spec.variant, spec.baseline)):
        return ""
    ratio = facts.ratio(METRIC, (spec.variant, last), (spec.baseline, last))
    return (
        f"Past saturation, at {facts.at(last)}, '{spec.variant}' completes {ratio} times what "
        f"'{spec.baseline}' does per second: {direction(ratio)}."
    )
