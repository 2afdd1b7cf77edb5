"""paper: the experiments run, and figures, tables and text made from the runs."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from simcore.errors import BadInput, Fault
from simcore.scenario.load import load_scenario
from simsage import output, run
from simsage.bundled import find_scenario
from simsage.comparison.reading import read_json
from simsage.figures.catalogue import Drawn
from simsage.paper import figures
from simsage.paper.changes import changes
from simsage.paper.checklist import Entry, checklist
from simsage.paper.evidence import RUNS, read_evidence
from simsage.paper.experiment import Experiment
from simsage.paper.facts import Facts, Watts
from simsage.paper.numbers import Numbers
from simsage.paper.section import section
from simsage.paper.topics import claims
from simsage.paper.topics.catalogue import TOPICS
from simsage.planning.price import Prices, check_prices
from simsage.report.paper_page import paper_page

TEXT = "experiments.md"
NUMBERS = "numbers.json"
FIGURES = "figures"
TABLES = "tables"
ENTRIES = (FIGURES, TABLES, TEXT, NUMBERS, output.REPORT)
"""What is made from the runs; each is replaced whole."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run the experiments."""

    quick: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Values by dotted key path, above the experiments' own."""
    prices: Prices = field(default_factory=dict)
    watts: Watts = field(default_factory=dict)
    run: run.Options = field(default_factory=run.Options)


def paper(
    out: Path, chosen: Sequence[Experiment], known: Sequence[Experiment], options: Options
) -> list[Entry]:
    """Run the ``chosen`` experiments into ``out``/runs, then write the paper of all ``known`` that are there.

    One that is there already as it would come out is not run again, unless it may be replaced. Raises
    BadInput, and then nothing was written, where another run is in its place.
    """
    left = [one for one in chosen if options.run.overwrite or not _finished(one, out, options)]
    _check(out, left, options.run.overwrite)
    for experiment in left:
        _simulate(experiment, out, options)
    there = [one for one in known if (out / RUNS / one.name / output.SUMMARY).is_file()]
    return write(out, there, options.prices, options.watts)


def write(out: Path, experiments: Sequence[Experiment], prices: Prices, watts: Watts) -> list[Entry]:
    """Make figures, tables, text and numbers from the runs in ``out``, and from nothing else."""
    work = Path(tempfile.mkdtemp(prefix=".paper.", dir=out))
    try:
        entries = _written(work, out, experiments, prices, watts)
        for name in ENTRIES:
            _replace(work / name, out / name)
    finally:
        shutil.rmtree(work)
    return entries


def _check(out: Path, chosen: Sequence[Experiment], overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise BadInput([Fault(str(out), 0, "--out", "a file", "a folder")])
    made = any((out / name).exists() for name in ENTRIES)
    ours = (out / RUNS).is_dir() and (not made or (out / NUMBERS).is_file())
    if out.is_dir() and any(out.iterdir()) and not ours:
        allowed = "a new or empty folder, or one that simsage paper has written"
        raise BadInput([Fault(str(out), 0, "--out", "a folder with other files in it", allowed)])
    faults: list[Fault] = []
    for experiment in chosen:
        try:
            output.check_free(out / RUNS / experiment.name, overwrite)
        except BadInput as bad:
            faults += bad.faults
    if faults:
        raise BadInput(faults)


def _finished(experiment: Experiment, out: Path, options: Options) -> bool:
    folder = out / RUNS / experiment.name
    if not (folder / output.ENVIRONMENT).is_file():
        return False
    given = run.given_by(experiment.scenario, _overrides(experiment, options))
    return bool(read_json(folder, output.ENVIRONMENT).get("run") == given.key)


def _overrides(experiment: Experiment, options: Options) -> dict[str, Any]:
    return {**experiment.overrides, **(experiment.quick if options.quick else {}), **options.overrides}


def _simulate(experiment: Experiment, out: Path, options: Options) -> None:
    overrides = _overrides(experiment, options)
    report = options.run.report
    told = replace(options.run, report=lambda text, share: report(f"{experiment.name}: {text}", share))
    run.execute(experiment.scenario, out / RUNS / experiment.name, overrides, told)


def _written(
    work: Path, out: Path, experiments: Sequence[Experiment], prices: Prices, watts: Watts
) -> list[Entry]:
    (work / FIGURES).mkdir()
    (work / TABLES).mkdir()
    numbers = Numbers()
    sections, entries = [], []
    all_drawn: list[Drawn] = []
    evidences = [read_evidence(experiment, out) for experiment in experiments]
    profiles = {one["name"] for each in evidences for one in each.environment["profiles"].values()}
    check_prices(prices, profiles)
    check_prices(watts, profiles, "--watts")
    for evidence in evidences:
        experiment, facts = evidence.experiment, Facts(evidence, numbers, prices, watts)
        changed = _changed(facts)
        tables = [TOPICS[name].table(facts) for name in experiment.topics]
        for table in tables:
            table.write(work / TABLES)
        drawn = figures.draw(facts, work / FIGURES)
        all_drawn += drawn
        sections.append(section(facts, tables, drawn, changed))
        entries.append(Entry(facts, changed, claims.verdicts(facts)))
    text = "\n".join([_head(entries), *sections, checklist(entries)])
    (work / TEXT).write_text(text, encoding="utf-8", newline="\n")
    runs = [f"{RUNS}/{experiment.name}/{output.REPORT}" for experiment in experiments]
    page = paper_page(text, runs, all_drawn)
    (work / output.REPORT).write_text(page, encoding="utf-8", newline="\n")
    (work / NUMBERS).write_text(numbers.to_json(), encoding="utf-8", newline="\n")
    return entries


def _changed(facts: Facts) -> list[str]:
    """What differs from the scenario file; of a trace its name alone, wherever the reader has it."""
    experiment, document = facts.evidence.experiment, facts.evidence.document
    run = document.model_dump(mode="json")
    traces = {path: reduce(getitem, path.split("."), run) for path in experiment.trace}
    file = load_scenario(find_scenario(experiment.scenario), traces)
    named = [f"{path}={json.dumps(name)}" for path, name in experiment.trace.items()]
    return changes(document, file) + named


def _head(entries: Sequence[Entry]) -> str:
    lines = [
        "# Experiments",
        "",
        "Simulated by simsage on the profiles that the checklist names. Values are means over "
        "replications, ± is half of the 95% interval; a ratio is paired by replication, with its 95% "
        "interval in brackets. A claim holds only if that whole interval lies on the right side of "
        "1, at every point of a sweep.",
        "",
        "| experiment | claim | verdict |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| {entry.facts.experiment.section} {entry.facts.experiment.title} | {verdict.claim} | "
        f"{'holds' if verdict.holds else 'does not hold'} |"
        for entry in entries
        for verdict in entry.verdicts
    ]
    return "\n".join(lines) + "\n"


def _replace(made: Path, place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    made.replace(place)
