"""Claims: which of the experiment's hypotheses hold."""

from __future__ import annotations

from collections.abc import Iterator

from simcore.scenario.document import VerdictSpec
from simsage.formats import point_label
from simsage.paper.facts import Facts
from simsage.paper.table import Cell, Table
from simsage.statistics import Estimate
from simsage.verdict import Judgement, Verdict, judge, metric_name, spoken

TITLE = "Claims"


def told(facts: Facts) -> list[str]:
    """A paragraph for each hypothesis."""
    return [_told(facts, number, spec) for number, spec in enumerate(facts.experiment.hypotheses)]


def verdicts(facts: Facts) -> list[Verdict]:
    """The verdict on each hypothesis."""
    return [judge(spec, facts.samples) for spec in facts.experiment.hypotheses]


def table(facts: Facts) -> Table:
    """A row for each hypothesis and sweep point."""
    axis = [facts.summary.sweep] if facts.summary.sweep else []
    rows = [
        row for number, spec in enumerate(facts.experiment.hypotheses) for row in _rows(facts, number, spec)
    ]
    return Table(
        f"{facts.experiment.name}_claims",
        f"{facts.experiment.title}: hypotheses, with the paired ratio of each and its 95% interval.",
        ("claim", *axis, "metric", "variant", "value", "against", "value there", "ratio", "verdict"),
        tuple(rows),
    )


def state(judgement: Judgement) -> str:
    """The judgement in a word or two."""
    if judgement.holds:
        return "holds"
    return "not judged" if judgement.sentence.startswith("Not judged") else "does not hold"


def _told(facts: Facts, number: int, spec: VerdictSpec) -> str:
    verdict = judge(spec, facts.samples)
    ratios = [facts.judged(number, one, spec.stream, metric_name(spec)) for one in verdict.points]
    if len(verdict.points) == 1:
        return f"*{spec.claim}.* {verdict.sentence}"
    shown = sum(one.holds for one in verdict.points)
    sources = [source for ratio in ratios for source in ratio.sources]
    key = ("hypothesis", number + 1, "points_shown")
    facts.note(key, str(shown), Estimate(shown, None, 0), sources, "points at which the hypothesis holds")
    count = Estimate(len(verdict.points), None, 0)
    facts.note(("points",), f"{count.value}", count, [facts.pointer("points")], "how many the source has")
    return f"*{spec.claim}.* {verdict.sentence}{_opposite(spec, verdict)}"


def _opposite(spec: VerdictSpec, verdict: Verdict) -> str:
    wrong = [
        point_label(one.point)
        for one in verdict.points
        if one.ratio.ci95 and (one.ratio.ci95[0] > 1 if spec.better == "lower" else one.ratio.ci95[1] < 1)
    ]
    return f" The opposite is shown at {', '.join(wrong)}." if wrong else ""


def _rows(facts: Facts, number: int, spec: VerdictSpec) -> Iterator[tuple[Cell, ...]]:
    metric = metric_name(spec)
    for one in judge(spec, facts.samples).points:
        axis = [] if one.point is None else [point_label(one.point)]
        yield (
            spec.claim,
            *axis,
            f"{spec.stream} {spoken(spec)}",
            spec.variant,
            facts.metric((spec.variant, one.point), metric, spec.stream),
            spec.baseline,
            facts.metric((spec.baseline, one.point), metric, spec.stream),
            facts.judged(number, one, spec.stream, metric),
            state(one),
        )
