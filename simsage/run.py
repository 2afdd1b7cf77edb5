"""A run: every variant at every sweep point, replicated, summarised, drawn and written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from simcore.members import draws_of
from simcore.profile.document import ProfileDocument
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import dump_scenario, load_scenario
from simcore.scenario.resolve import resolve
from simsage import farm, output
from simsage.bundled import find_scenario
from simsage.environment import environment_of
from simsage.farm import Warn
from simsage.identity import run_key
from simsage.members import member_cells
from simsage.profiles import check_against_profiles, load_profiles, profile_fault
from simsage.progress import Report
from simsage.records import join
from simsage.replication import Cell, Measured
from simsage.summary import Summary, summarise
from simsage.trace.trace import chosen_cell, write_trace
from simsage.trace_files import trace_paths
from simsage.unfinished import unfinished
from simsage.work import Work


@dataclass(frozen=True, slots=True)
class Run:
    """What a run leaves: its summary, the content of environment.json, and the folder with everything."""

    summary: Summary
    environment: dict[str, Any]
    folder: Path


@dataclass(frozen=True, slots=True)
class Given:
    """What is run; trace paths start from ``base``, and ``key`` tells it from what may give other results."""

    document: ScenarioDocument
    cells: Sequence[Cell]
    profiles: Mapping[str, ProfileDocument]
    base: Path
    key: str


@dataclass(frozen=True, slots=True)
class Options:
    """How to run, as far as it changes no figure."""

    jobs: int | None = None
    """Worker processes; None uses this machine's cores where that is quicker."""
    overwrite: bool = False
    figures: bool = True
    report: Report = lambda text, share: None
    """Told of the progress."""
    trace: str | None = None
    """Which variant and sweep point to write a trace of, as `chosen_cell` reads it; "" for the first."""
    warn: Warn = lambda text: None
    """Told what else people should know: what an earlier run left, workers that died."""
    cluster: str | None = None
    """The address of a Ray cluster to run on instead of this machine."""
    doubt: bool = True
    """Whether the members of the profiles' ensembles are simulated too, where there are any."""


def run(
    path: str | Path,
    out: Path | None = None,
    overrides: Mapping[str, Any] = MappingProxyType({}),
    options: Options | None = None,
) -> Summary:
    """Run a scenario file or bundled scenario into ``out`` (``out/NAME`` if None) and give its summary.

    ``overrides`` are values by dotted key path. What a run that was stopped had finished is not simulated
    again. Raises BadInput, and then nothing was written, and CannotFinish.
    """
    return execute(path, out, overrides, options or Options()).summary


def execute(path: str | Path, out: Path | None, overrides: Mapping[str, Any], options: Options) -> Run:
    """The same, and give all that there is to tell of it."""
    given = given_by(path, overrides)
    out = out or Path("out") / given.document.name
    output.check_free(out, options.overwrite)
    traced = None if options.trace is None else chosen_cell(given.cells, options.trace)
    with unfinished(out, given.key) as kept:
        members = member_cells(given.cells, draws_of(given.profiles)) if options.doubt else []
        work = Work([*given.cells, *members], given.profiles, given.base, kept)
        _simulate(work, options)
        with output.published(out, options.overwrite, kept.parent) as folder:
            finished = _collect(work, folder)
            summary, environment = _write(given, finished, folder, options)
            if traced:
                options.report("writing the trace", 1.0)
                write_trace(traced, given.profiles, given.base, folder)
    return Run(summary, environment, out)


def given_by(path: str | Path, overrides: Mapping[str, Any]) -> Given:
    """What the file and ``overrides`` ask for. Raises BadInput."""
    file = find_scenario(str(path))
    base = file.parent
    document = load_scenario(file, overrides, lambda name: profile_fault(name, base))
    cells = list(cells_of(document))
    profiles = load_profiles((cell.document for cell in cells), base)
    check_against_profiles(file, (cell.document for cell in cells if cell.replication == 0), profiles)
    return Given(document, cells, profiles, base, _key(document, cells, profiles, base))


def cells_of(document: ScenarioDocument) -> Iterator[Cell]:
    """The cells of a run: by sweep point, then variant, then replication."""
    points = document.sweep.points if document.sweep else [None]
    for point in points:
        for variant in document.variants:
            resolved = resolve(document, variant, point)
            for replication in range(document.replications):
                yield Cell(variant.name, point, replication, resolved)


def _key(
    document: ScenarioDocument, cells: Sequence[Cell], profiles: Mapping[str, ProfileDocument], base: Path
) -> str:
    environment = environment_of(profiles, document.seed, document.replications, 0.0, 0.0)
    traces = [base / path for path in trace_paths(cell.document for cell in cells)]
    return run_key(dump_scenario(document), environment["digest"], traces)


def _simulate(work: Work, options: Options) -> None:
    left, whole = len(work.left()), len(work.cells)
    if left < whole:
        options.warn(f"{whole - left} of {whole} replications were finished by an earlier run; going on.")
    options.report("simulating", 1 - left / whole)
    for _ in _farm(work, options):
        left -= 1
        options.report(f"simulated {whole - left} of {whole} replications", 1 - left / whole)


def _farm(work: Work, options: Options) -> Iterator[int]:
    if options.cluster is None:
        return farm.finish(work, options.jobs, options.warn)
    from simsage import farm_ray

    return farm_ray.finish(work, options.cluster, options.warn)


def _collect(work: Work, folder: Path) -> list[Measured]:
    """What was measured of every cell; the records are of the profiles as they are."""
    finished = list(work.finished())
    join([rows for measured, rows in finished if measured.cell.member is None], folder)
    return [measured for measured, _ in finished]


def _write(
    given: Given, finished: Sequence[Measured], folder: Path, options: Options
) -> tuple[Summary, dict[str, Any]]:
    document = given.document
    runs = [one for one in finished if one.cell.member is None]
    members = [one for one in finished if one.cell.member is not None]
    resolved = dump_scenario(document)
    wall, simulated = sum(run.wall for run in runs), sum(run.horizon for run in runs)
    environment = environment_of(given.profiles, document.seed, document.replications, wall, simulated)
    environment["run"] = given.key
    summary = summarise(document, resolved, environment, runs, members)
    (folder / output.SCENARIO).write_text(resolved, encoding="utf-8")
    (folder / output.ENVIRONMENT).write_text(json.dumps(environment, indent=2) + "\n", encoding="utf-8")
    (folder / output.SUMMARY).write_text(summary.to_json(), encoding="utf-8")
    options.report("drawing figures and report", 1.0)
    _present(document, summary, environment, resolved, folder, options.figures)
    return summary, environment


def _present(
    document: ScenarioDocument,
    summary: Summary,
    environment: Mapping[str, Any],
    resolved: str,
    folder: Path,
    figures: bool,
) -> None:
    from simsage.figures.catalogue import draw_all
    from simsage.figures.source import Source
    from simsage.report.page import page

    drawn = draw_all(Source(summary, document, folder), folder / output.FIGURES) if figures else []
    text = page(summary, environment, resolved, drawn)
    (folder / output.REPORT).write_text(text, encoding="utf-8")
