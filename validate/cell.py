"""Cell: one variant at one sweep point, and what was found of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from simcore.request import Request
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.resolve import resolve
from validate.compare.case import Case
from validate.compare.phenomena import EngineSteps, Legs
from validate.compare.verdict import Disturbance
from validate.compare.wording import labelled
from validate.machine_pace import machine_pace
from validate.replay.replay import Replayed


@dataclass(slots=True)
class Cell:
    """One variant at one sweep point, resolved, its live repetitions so far, and each of them simulated.

    ``missed`` says of each repetition that could not be replayed why.
    """

    variant: str
    point: float | None
    document: ScenarioDocument
    live: list[Replayed] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    simulated: list[list[Request]] = field(default_factory=list)
    as_calibrated: list[Request] = field(default_factory=list)
    """Simulated with the profiles as they are, whatever pace the machine had."""
    steps: list[EngineSteps] = field(default_factory=list)
    legs: list[Legs] = field(default_factory=list)

    @property
    def machine_paces(self) -> list[float | None]:
        """Of each live repetition, as far as known."""
        return [machine_pace(one.paces) for one in self.live]

    @property
    def cluster(self) -> str:
        """What tells clusters apart: cells of equal ones share their backends."""
        return self.document.model_dump_json(include={"backends", "devices"})


def case_of(cell: Cell) -> Case:
    """The cell as the comparison takes it."""
    lags = np.array([lag for one in cell.live for lag in one.lags], dtype=np.float64)
    live = [one.requests for one in cell.live]
    disturbances = list(_disturbances(cell))
    return Case(
        cell.variant,
        cell.point,
        cell.document,
        live,
        cell.simulated,
        lags,
        disturbances,
        cores=_cores(cell),
        steps=cell.steps,
        legs=cell.legs,
        machine_paces=cell.machine_paces,
    )


def _cores(cell: Cell) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for one in cell.live:
        for who, share in one.cores.items():
            found.setdefault(who, []).append(share)
    return {who: float(np.mean(shares)) for who, shares in found.items()}


def cells_of(document: ScenarioDocument) -> Iterator[Cell]:
    """Every variant at every sweep point."""
    for point in document.sweep.points if document.sweep else [None]:
        for variant in document.variants:
            yield Cell(variant.name, point, resolve(document, variant, point))


def _disturbances(cell: Cell) -> Iterator[Disturbance]:
    for number, one in enumerate(cell.live, start=1):
        for incident in one.incidents:
            yield _disturbance(cell, number, incident.at, str(incident))
    for number, why in enumerate(cell.missed, start=len(cell.live) + 1):
        yield _disturbance(cell, number, None, f"not replayed, for {why}")


def _disturbance(cell: Cell, repetition: int, at: float | None, what: str) -> Disturbance:
    sentence = f"Repetition {repetition} with {labelled(cell.variant, cell.point)}: {what.rstrip('.')}."
    return Disturbance(
        variant=cell.variant, point=cell.point, repetition=repetition, at_s=at, sentence=sentence
    )
