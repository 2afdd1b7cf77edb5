"""summary.json: what a run found, in numbers that every table and figure is made from."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from simcore.request import Outcome
from simcore.result import worst
from simcore.scenario.document import ScenarioDocument
from simsage.doubt import Doubted, Figure, doubted
from simsage.left_ranges import left_ranges
from simsage.metrics import ALL, Sample
from simsage.replication import Measured
from simsage.resources import ControlPlaneRow, ResourceRow, control_plane_rows, resource_rows
from simsage.saturation import State, state_of
from simsage.statistics import NOTHING, Estimate, estimate
from simsage.verdict import Verdict, judge

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One stream (or a pipeline's stage, or ``all``) of one variant at one sweep point.

    ``arrivals`` and ``outcomes`` are counts over all replications; ``metrics`` maps vLLM's names, such as
    ``p99_ttft_ms``, to means over replications. A metric that the stream does not have is absent.
    """

    variant: str
    point: float | None
    stream: str
    stage: str
    arrivals: int
    outcomes: dict[str, int]
    state: State
    saturated: bool
    metrics: dict[str, Figure]

    @property
    def label(self) -> str:
        """``stream`` or ``stream/stage``."""
        return f"{self.stream}/{self.stage}" if self.stage else self.stream

    def metric(self, name: str) -> Estimate:
        """The metric, or an estimate without a value where the row has none of that name."""
        return self.metrics.get(name, NOTHING)


@dataclass(frozen=True, slots=True)
class ScenarioIdentity:
    """Which scenario was run; the digest is of the document with all overrides applied."""

    name: str
    title: str
    digest: str

    @classmethod
    def of(cls, document: ScenarioDocument, resolved: str) -> ScenarioIdentity:
        """That of a document; ``resolved`` is its text."""
        digest = "sha256:" + hashlib.sha256(resolved.encode()).hexdigest()
        return cls(document.name, document.title, digest)


@dataclass(frozen=True, slots=True)
class Summary:
    """The content of summary.json."""

    schema_version: int
    scenario: ScenarioIdentity
    seed: int
    replications: int
    environment: str
    """The digest of environment.json's part that may change results."""
    validated: dict[str, str]
    """By profile: its last verdict in words, or "never validated"."""
    variants: list[str]
    sweep: str | None
    """The label of the sweep's axis."""
    points: list[float]
    verdict: Verdict | None
    rows: list[Row]
    resources: list[ResourceRow]
    control_planes: list[ControlPlaneRow]
    warnings: list[str]
    left_ranges: list[str] = field(default_factory=list)
    """Where profiles were left, how far, and what that does to the intervals; empty where none was."""

    @property
    def members(self) -> int:
        """How many draws from the profiles' ensembles the figures' intervals rest on."""
        figures = (found for row in self.rows for found in row.metrics.values())
        return max((found.members for found in figures if isinstance(found, Doubted)), default=0)

    def find(self, variant: str, point: float | None, stream: str = ALL, stage: str = "") -> Row | None:
        """The row of that name, or None."""
        wanted = (variant, point, stream, stage)
        return next(
            (row for row in self.rows if (row.variant, row.point, row.stream, row.stage) == wanted), None
        )

    def to_json(self) -> str:
        """The file's text: keys in a fixed order, no NaN, the same bytes for the same results."""
        return json.dumps(finite(asdict(self)), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def summarise(
    document: ScenarioDocument,
    resolved: str,
    environment: Mapping[str, Any],
    runs: Sequence[Measured],
    members: Sequence[Measured] = (),
) -> Summary:
    """Everything that ``runs``, all replications of all cells in order, say together.

    ``resolved`` is the document's text; ``members`` are the cells of `simsage.members.member_cells`.
    """
    sweep = document.sweep
    differing = by_cell(members)
    return Summary(
        schema_version=SCHEMA_VERSION,
        scenario=ScenarioIdentity.of(document, resolved),
        seed=document.seed,
        replications=document.replications,
        environment=environment["digest"],
        validated={name: facts["validated"] for name, facts in environment["profiles"].items()},
        variants=[variant.name for variant in document.variants],
        sweep=sweep.label if sweep else None,
        points=list(sweep.points) if sweep else [],
        verdict=judge(document.verdict, runs, members) if document.verdict else None,
        rows=[row for place, cell in by_cell(runs).items() for row in _rows(cell, differing.get(place, []))],
        resources=[row for cell in by_cell(runs).values() for row in resource_rows(cell)],
        control_planes=[row for cell in by_cell(runs).values() for row in control_plane_rows(cell)],
        warnings=list(dict.fromkeys(_warnings(runs))),
        left_ranges=left_ranges(
            worst(excess for run in runs for excess in run.range_excesses),
            {name: facts["ensemble"] for name, facts in environment["profiles"].items()},
            len({one.cell.member for one in members}),
        ),
    )


def by_cell(runs: Iterable[Measured]) -> dict[tuple[str, float | None], list[Measured]]:
    """Replications grouped by variant and sweep point, in the order of the runs."""
    cells: dict[tuple[str, float | None], list[Measured]] = {}
    for run in runs:
        cells.setdefault((run.cell.variant, run.cell.point), []).append(run)
    return cells


def _rows(cell: Sequence[Measured], members: Sequence[Measured]) -> list[Row]:
    return [
        _row(cell[0], [run.samples[i] for run in cell], _differences(cell, members, i))
        for i in range(len(cell[0].samples))
    ]


def _differences(cell: Sequence[Measured], members: Sequence[Measured], index: int) -> dict[str, list[float]]:
    """By metric what each member's sample of that index differs from its replication's by the best fit."""
    found: dict[str, list[float]] = {}
    for member in members:
        best = cell[member.cell.replication].samples[index].values
        for name, value in member.samples[index].values.items():
            found.setdefault(name, []).append(value - best[name])
    return found


def _row(run: Measured, samples: Sequence[Sample], differences: Mapping[str, Sequence[float]]) -> Row:
    first = samples[0]
    names = dict.fromkeys(name for sample in samples for name in sample.values)
    known = {
        name: doubted(estimate([sample.values[name] for sample in samples]), differences.get(name, ()))
        for name in names
    }
    arrivals = sum(sample.arrivals for sample in samples)
    outcomes = {one.value: sum(sample.outcomes[one.value] for sample in samples) for one in Outcome}
    state = state_of(samples)
    return Row(
        variant=run.cell.variant,
        point=run.cell.point,
        stream=first.stream,
        stage=first.stage,
        arrivals=arrivals,
        outcomes=outcomes,
        state=state,
        saturated=state is State.SATURATED,
        metrics={name: found for name, found in known.items() if found.value is not None},
    )


def _warnings(runs: Sequence[Measured]) -> Iterable[str]:
    for run in runs:
        if run.cell.document.replications == 1:
            yield "One replication: there are no confidence intervals, and no claim can be judged."
        counted = run.samples[0].arrivals
        if counted == 0:
            yield f"{run.cell.variant}: no request arrived after the warm-up."
        yield from run.assumptions


def finite(value: Any) -> Any:
    """The same with None for NaN and infinities, which JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return value
