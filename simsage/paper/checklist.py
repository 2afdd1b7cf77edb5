"""Checklist: the reproducibility checklist, filled in from the runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simsage.paper.changes import command
from simsage.paper.facts import Facts
from simsage.verdict import Verdict

CHANCE = "one in twenty of those without an effect would be shown by chance"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the checklist is to know of one experiment."""

    facts: Facts
    changed: Sequence[str]
    verdicts: Sequence[Verdict]


def checklist(entries: Sequence[Entry]) -> str:
    """The checklist as Markdown; it names nothing that differs between two runs on one machine."""
    answers = [*_general(entries), *_profiles(entries), *_repeating(entries)]
    lines = [f"- [x] **{question}** {answer}" for question, answer in answers]
    return "## Reproducibility checklist\n\n" + "\n".join(lines) + "\n"


def _general(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    judged = [one for entry in entries for verdict in entry.verdicts for one in verdict.points]
    held = sum(one.holds for one in judged)
    yield (
        "Measured or simulated?",
        "Simulated. No number here was measured on the hardware that it is about; the profiles below say "
        "what was.",
    )
    yield "Software.", _software(entries)
    yield (
        "Hardware for repeating it.",
        "Any machine with this software; no GPU. Results do not depend on cores.",
    )
    yield (
        "Randomness.",
        "Every draw comes from a named stream of the scenario's seed. Variants of one replication share "
        "arrivals and lengths (common random numbers), replications share nothing.",
    )
    yield (
        "Statistics.",
        "Means over replications with 95% Student intervals; claims by the paired ratio of two variants, "
        f"whose whole interval has to lie on the right side of 1. {len(judged)} comparisons were judged "
        f"and {held} hold; {CHANCE}, and intervals are not corrected for their number.",
    )
    yield (
        "Warm-up.",
        "Requests that arrive in it are simulated and not counted; each set-up says how long it is.",
    )
    yield (
        "Failures.",
        "Requests that did not complete are in no latency and count against SLO attainment; outcomes add "
        "up to arrivals in every run, or the run is an error.",
    )
    yield "Metrics.", "By vLLM's names and formulas (`docs/metrics.md`)."
    yield "Every number.", "`numbers.json` has each with its value, its interval, and where it came from."


def _software(entries: Sequence[Entry]) -> str:
    known = list(dict.fromkeys(_versions(entry) for entry in entries))
    return known[0] if len(known) == 1 else "Runs differ: " + "; ".join(known)


def _versions(entry: Entry) -> str:
    environment = entry.facts.evidence.environment
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    return f"Python {environment['python']}, {packages}, on {environment['platform']}."


def _profiles(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    known: dict[str, Any] = {}
    for entry in entries:
        known |= entry.facts.evidence.environment["profiles"]
    for name, facts in sorted(known.items()):
        provenance = facts["provenance"]
        origin = f"{provenance['how']}: {provenance['source']}"
        yield f"Profile {name}.", f"{origin}; validation: {facts['validated']}; `{facts['digest']}`"


def _repeating(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        scenario = entry.facts.summary.scenario
        line = command(entry.facts.experiment.scenario, list(entry.changed))
        yield f"{entry.facts.experiment.title}.", f"`{line}`; scenario as run `{scenario.digest}`"
