"""recorded: a recording simulated again, as `validate.validate.validate` simulates what it has replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from simcore.profile.use import Profiles, served_llm, step_seconds
from simcore.scenario.cluster import EmbeddingBackends, LLMBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.places import places
from validate.backends.launch import Report
from validate.cell import Cell, cells_of
from validate.live.plane import with_gateway_costs
from validate.pace import Pace, pace_of
from validate.recording.read import Record
from validate.replay.replay import Replayed
from validate.validate import simulate_cell


def recorded_cells(document: ScenarioDocument, records: Sequence[Record]) -> list[Cell]:
    """The variants and points that were replayed, in the scenario's order, with their replays."""
    cells = list(cells_of(document))
    for cell in cells:
        cell.live = [
            one.replayed for one in records if (one.variant, one.point) == (cell.variant, cell.point)
        ]
    return [cell for cell in cells if cell.live]


def on_profile(document: ScenarioDocument, profile: str) -> ScenarioDocument:
    """The document with ``profile`` in the place of each that its LLM and embedding backends name."""
    backends = {
        name: spec.model_copy(update={"profile": profile})
        if isinstance(spec, LLMBackends | EmbeddingBackends)
        else spec
        for name, spec in document.backends.items()
    }
    return document.model_copy(update={"backends": backends})


def simulate_recorded(cells: Sequence[Cell], profiles: Profiles, base: Path, report: Report) -> None:
    """Simulate each replay, at the pace that its engines' recorded steps have by today's profiles."""
    for number, cell in enumerate(cells):
        report(f"simulating {number + 1} of {len(cells)}")
        cell.document = with_gateway_costs(cell.document, profiles)
        cell.live = [_paced(one, cell.document, profiles) for one in cell.live]
        simulate_cell(cell, profiles, base)


def _paced(one: Replayed, document: ScenarioDocument, profiles: Profiles) -> Replayed:
    return replace(one, paces=list(_paces(one, document, profiles)))


def _paces(one: Replayed, document: ScenarioDocument, profiles: Profiles) -> Iterator[Pace]:
    specs = {place.name: place.spec for place in places(document)}
    for then in one.paces:
        spec, logged = specs.get(then.backend), one.steps.get(then.backend, [])
        if isinstance(spec, LLMBackends):
            form = step_seconds(served_llm(profiles, spec.profile))
            computed = then.live if then.on_cpu else None
            if (now := pace_of(then.backend, logged, form, then.on_cpu, computed)) is not None:
                yield now
