"""A validation: a scenario replayed on real backends and simulated, compared, drawn and written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simcore.request import Request, Service
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import dump_scenario, load_scenario
from simcore.scenario.places import places
from simsage import output
from simsage.bundled import find_scenario
from simsage.emulation import emulated_profiles, emulation_of, profile_overrides
from simsage.environment import environment_of
from simsage.figures.catalogue import Drawn
from simsage.figures.validation_catalogue import draw_case
from simsage.profiles import check_against_profiles, load_profiles, profile_fault
from simsage.progress import Report
from simsage.records import Writer, frame_of
from simsage.register import Register
from simsage.remembering import remember
from simsage.report.validation_page import validation_page
from simsage.serving import chosen_variant
from validate.backends.possible import Backends
from validate.cell import Cell, case_of, cells_of
from validate.compare.case import Case
from validate.compare.judge import judge
from validate.compare.verdict import Verdict
from validate.deployment import find_deployment
from validate.validate import Bench, validate

VERDICT = "verdict.json"
LIVE, SIMULATED = "live.parquet", "simulated.parquet"


@dataclass(frozen=True, slots=True)
class Options:
    """Which backends are used, and how often every variant is replayed on them.

    ``variant`` is the one to replay, if not all. A deployment at ``gateway_url``, which has to be of one
    variant, is asked for the ``models`` by service, else for those that it has.
    """

    backends: Backends
    repetitions: int
    report: Report = lambda text, share: None
    """Told of the progress."""
    variant: str | None = None
    gateway_url: str | None = None
    models: Mapping[Service, str] = field(default_factory=dict)
    emulate: str | None = None
    """The profile, by name or file, that all LLM backends are put on and emulated with."""


def validate_live(path: str, out: Path | None, overrides: Mapping[str, Any], options: Options) -> Verdict:
    """Validate a scenario file or bundled scenario into ``out`` (``out/NAME-live`` if None).

    Raises BadInput and CalibrationError, and then nothing was written.
    """
    file = find_scenario(path)
    base = file.parent
    document = load_scenario(file, overrides, lambda name: profile_fault(name, base))
    if options.emulate is not None:
        emulating = {**overrides, **profile_overrides(document, options.emulate)}
        document = load_scenario(file, emulating, lambda name: profile_fault(name, base))
    out = out or Path("out") / f"{document.name}-live"
    if options.variant is not None or options.gateway_url is not None:
        document = document.model_copy(update={"variants": [chosen_variant(document, options.variant)]})
    documents = [cell.document for cell in cells_of(document)]
    profiles = load_profiles(documents, base)
    check_against_profiles(file, documents, profiles)
    if options.emulate is not None:
        profiles = emulated_profiles(documents, profiles)
    url = options.gateway_url
    deployment = None if url is None else find_deployment(url, options.models, documents, profiles)
    with output.published(out, False) as folder, TemporaryDirectory(prefix="simsage-validate-") as work:
        report = _counted(options.report, len(documents) * options.repetitions)
        bench = Bench(profiles, base, options.backends, Path(work), report, deployment)
        cells = validate(document, bench, options.repetitions)
        options.report("comparing", 1.0)
        cases = [case_of(cell) for cell in cells]
        verdict = _judged(document, cells, cases)
        environment = environment_of(profiles, document.seed, options.repetitions, 0.0, 0.0)
        if options.emulate is not None:
            environment["emulated"] = emulation_of(documents[0], profiles)
        if deployment is not None:
            models = {service.name: model for service, model in deployment.models.items()}
            environment["deployment"] = {"url": deployment.url, "models": models}
        _write(document, cells, cases, verdict, environment, folder)
    if options.emulate is None:
        remember(verdict, profiles, base, environment["date"][:10])
    return verdict


def _judged(document: ScenarioDocument, cells: Sequence[Cell], cases: Sequence[Case]) -> Verdict:
    verdict = judge(document, cases)
    if not verdict.machine_paces:
        return verdict
    plain = [
        replace(case, simulated=[cell.as_calibrated] * len(cell.live))
        for cell, case in zip(cells, cases, strict=True)
    ]
    # The median is of plain differences: it needs no intervals, so as few resamples as there can be.
    median = judge(document, plain, resamples=2).median_error
    return verdict.model_copy(update={"median_error_as_calibrated": median})


def _write(
    document: ScenarioDocument,
    cells: Sequence[Cell],
    cases: Sequence[Case],
    verdict: Verdict,
    environment: Mapping[str, Any],
    folder: Path,
) -> None:
    _write_records(cells, folder)
    resolved = dump_scenario(document)
    faults = sum((Counter(live.faults) for cell in cells for live in cell.live), Counter())
    drawn = _draw(cases, folder / output.FIGURES)
    texts = {
        output.SCENARIO: resolved,
        output.ENVIRONMENT: json.dumps(environment, indent=2) + "\n",
        VERDICT: verdict.model_dump_json(indent=2) + "\n",
        output.REPORT: validation_page(document, verdict, drawn, faults, environment, resolved),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _counted(report: Report, steps: int) -> Any:
    """A report of words alone, as a share of the replays that are done."""
    done = 0

    def tell(text: str) -> None:
        nonlocal done
        report(text, min(1.0, done / steps))
        done += text.startswith("repetition")

    return tell


def _write_records(cells: Sequence[Cell], folder: Path) -> None:
    with closing(Writer(folder, LIVE)) as live, closing(Writer(folder, SIMULATED)) as simulated:
        for cell in cells:
            for repetition, (one, simulation) in enumerate(zip(cell.live, cell.simulated, strict=True)):
                live.add(_frame(cell, one.requests, repetition))
                simulated.add(_frame(cell, simulation, repetition))


def _frame(cell: Cell, requests: Sequence[Request], repetition: int) -> Any:
    names = [place.name for place in places(cell.document)]
    return frame_of(Register(requests), names, cell.variant, cell.point, repetition, cell.document.warmup_s)


def _draw(cases: Sequence[Case], folder: Path) -> list[tuple[Case, list[Drawn]]]:
    folder.mkdir()
    return [(case, draw_case(case, number, folder)) for number, case in enumerate(cases)]
