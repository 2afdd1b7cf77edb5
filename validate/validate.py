"""validate: a scenario on real backends and in the simulator, side by side."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from calibration.backends.embedding_model import find_embedding_model
from simcore.profile.use import Profiles
from simcore.request import Request, Service
from simcore.scenario.cluster import EmbeddingBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.resolve import resolve
from simcore.simulation import simulate
from validate.backends.launch import Report, launched
from validate.backends.possible import Backends, service_of
from validate.compare.case import Case
from validate.deployment import Deployment
from validate.gateway.process import GatewayProcess
from validate.live.plane import Address, index_places, live_places, public_model
from validate.replay.prompts import TextMaker
from validate.replay.replay import Front, Replayed, replay
from validate.replay.words import Words
from validate.replayable import check_replayable

WARM_UP = 10.0
"""Seconds of load on new backends whose answers do not count."""
REPLICATION = 0
"""The one that is replayed, every time: repetitions differ by the machine, not by what is sent."""


@dataclass(slots=True)
class Cell:
    """One variant at one sweep point, resolved, its live repetitions so far, and the simulated requests."""

    variant: str
    point: float | None
    document: ScenarioDocument
    live: list[Replayed] = field(default_factory=list)
    simulated: list[Request] = field(default_factory=list)

    @property
    def cluster(self) -> str:
        """What tells clusters apart: cells of equal ones share their backends."""
        return self.document.model_dump_json(include={"backends", "devices"})


@dataclass(frozen=True, slots=True)
class Bench:
    """What live runs of one scenario share: where trace paths start, and where models and logs are kept.

    With a ``deployment`` nothing is started but retrievers: everything else is sent there.
    """

    profiles: Profiles
    base: Path
    backends: Backends
    work: Path
    report: Report
    deployment: Deployment | None = None


def validate(document: ScenarioDocument, bench: Bench, repetitions: int) -> list[Cell]:
    """Replay every variant at every point ``repetitions`` times, and simulate the same.

    Repetitions are interleaved, in a new order each time. Everything that was started is stopped, whatever
    happens. Raises BadInput and CalibrationError.
    """
    cells = sorted(cells_of(document), key=lambda cell: cell.cluster)
    check_replayable(cell.document for cell in cells)
    for _, group in groupby(cells, key=lambda cell: cell.cluster):
        _run_live(list(group), bench, repetitions)
    bench.report("simulating")
    for cell in cells:
        cell.simulated = simulate(cell.document, bench.profiles, REPLICATION, bench.base).requests
    return cells


def case_of(cell: Cell) -> Case:
    """The cell as the comparison takes it."""
    lags = np.concatenate([np.asarray(one.lags, dtype=np.float64) for one in cell.live])
    live = [one.requests for one in cell.live]
    return Case(cell.variant, cell.point, cell.document, live, [cell.simulated] * len(live), lags)


def cells_of(document: ScenarioDocument) -> Iterator[Cell]:
    """Every variant at every sweep point."""
    for point in document.sweep.points if document.sweep else [None]:
        for variant in document.variants:
            yield Cell(variant.name, point, resolve(document, variant, point))


def _run_live(cells: list[Cell], bench: Bench, repetitions: int) -> None:
    first = cells[0].document
    served = live_places(first) if bench.deployment is None else []
    places = [*served, *index_places(first)]
    with launched(places, bench.profiles, bench.backends, bench.work, bench.report) as addresses:
        words = _words(first, bench)
        bench.report("warming up")
        short = first.model_copy(update={"duration_s": min(WARM_UP, first.duration_s)})
        _replay(Cell("", None, short), bench, addresses, words)
        for repetition in range(repetitions):
            order = random.Random(repetition).sample(cells, len(cells))  # noqa: S311
            for number, cell in enumerate(order, start=1):
                bench.report(f"repetition {repetition + 1} of {repetitions}: {number} of {len(order)}")
                cell.live.append(_replay(cell, bench, addresses, words))


def _replay(cell: Cell, bench: Bench, addresses: dict[str, Address], words: TextMaker | None) -> Replayed:
    document = cell.document
    indexes = [addresses[place.name].url for place in index_places(document)]
    with _deployed(document, bench, addresses) as to:
        front = Front(dict.fromkeys(to.models, to.url), to.models, words, indexes)
        return asyncio.run(replay(document, bench.profiles, REPLICATION, bench.base, front))


@contextmanager
def _deployed(
    document: ScenarioDocument, bench: Bench, addresses: dict[str, Address]
) -> Iterator[Deployment]:
    """The deployment that is validated, else the document's control plane in a process of its own."""
    if bench.deployment is not None:
        yield bench.deployment
        return
    with GatewayProcess(document, bench.profiles, addresses, bench.work) as gateway:
        gateway.wait_ready()
        models = {service_of(place): public_model(place, bench.profiles) for place in live_places(document)}
        yield Deployment(gateway.url, models)


def _words(document: ScenarioDocument, bench: Bench) -> TextMaker | None:
    """For servers that were started here, whose tokenizer is known; others are sent token ids."""
    if bench.deployment is not None:
        return None
    for place in live_places(document):
        if isinstance(place.spec, EmbeddingBackends) and not bench.backends.urls.get(Service.EMBEDDING):
            profile = bench.profiles[place.spec.profile].embedding
            assert profile is not None
            return Words(find_embedding_model(profile.model, bench.work).folder)
    return None
