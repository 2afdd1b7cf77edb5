"""Section: the text of one experiment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simsage.figures.catalogue import Drawn
from simsage.formats import point_label
from simsage.paper.facts import Facts
from simsage.paper.table import Table
from simsage.paper.topics.catalogue import TOPICS


def section(facts: Facts, tables: Sequence[Table], drawn: Sequence[Drawn], changed: Sequence[str]) -> str:
    """As Markdown: goal, set-up, a part for each topic with its table, figures, what all of it rests on."""
    experiment = facts.experiment
    parts = [
        f"## {experiment.section} {experiment.title}",
        f"**Goal.** {experiment.goal}",
        f"**Set-up.** {_setup(facts)}{_changed(changed)}",
        *_topics(facts, tables),
        *(
            f"![{figure.caption}](figures/{figure.name}.svg)\n\n*Figure: {figure.caption}*"
            for figure in drawn
        ),
        _assumptions(facts),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _setup(facts: Facts) -> str:
    document, summary = facts.evidence.document, facts.summary
    replications = facts.given("replications", summary.replications, "summary.json#/replications")
    seed = facts.given("seed", summary.seed, "summary.json#/seed")
    duration = facts.given("duration_s", document.duration_s, "scenario.yaml#/duration_s")
    warmup = facts.given("warmup_s", document.warmup_s, "scenario.yaml#/warmup_s")
    variants = ", ".join(f"'{name}'" for name in summary.variants)
    text = (
        f"Scenario `{summary.scenario.name}`: {replications} replications of {duration} s, the first "
        f"{warmup} s of which are not counted, seed {seed}. Variants, with the same "
        f"arrivals and lengths each: {variants}."
    )
    description = " ".join(document.description.split())
    return f"{description} {text}{_swept(facts)}".strip()


def _swept(facts: Facts) -> str:
    if not facts.summary.sweep:
        return ""
    return f" Swept: {facts.summary.sweep}, {', '.join(point_label(point) for point in facts.points)}."


def _changed(changed: Sequence[str]) -> str:
    if not changed:
        return " As in the scenario file."
    return f" Changed in the scenario file: {', '.join(f'`{one}`' for one in changed)}."


def _topics(facts: Facts, tables: Sequence[Table]) -> Iterator[str]:
    for name, table in zip(facts.experiment.topics, tables, strict=True):
        topic = TOPICS[name]
        yield f"### {topic.title}"
        yield from topic.told(facts)
        yield table.to_markdown().rstrip()
        yield f"*Table: {table.caption}*"


def _assumptions(facts: Facts) -> str:
    summary = facts.summary
    lines = [f"- profile {name}: {verdict}" for name, verdict in summary.validated.items()]
    lines += [f"- {warning}" for warning in (*summary.left_ranges, *summary.warnings)]
    return "### What this rests on\n\n" + "\n".join(lines)
