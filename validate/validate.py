"""validate: a scenario on real backends and in the simulator, side by side."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from calibration.backends.embedding_model import find_embedding_model
from calibration.errors import BackendFailed
from simcore.profile.use import Profiles, served_llm, step_seconds
from simcore.request import Service
from simcore.scenario.cluster import EmbeddingBackends, LLMBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.places import places
from simcore.simulation import simulate
from validate.backends.launch import Launched, Report, launched
from validate.backends.possible import Backends, service_of
from validate.cell import Cell, cells_of
from validate.deployment import Deployment
from validate.engine_steps import EngineLogs, all_engine_steps
from validate.gateway.counts import Counts, contradiction, counted
from validate.gateway.process import GatewayProcess
from validate.legs.legs import Sides, legs_of
from validate.live.fine_loop import fine_loop
from validate.live.plane import index_places, live_places, public_model, with_gateway_costs
from validate.machine_pace import at_pace
from validate.pace import pacings
from validate.recording.keep import Recorder
from validate.replay.engine_log import in_replay
from validate.replay.prompts import TextMaker
from validate.replay.replay import Front, Replayed, replay
from validate.replay.words import Words
from validate.replayable import check_replayable
from validate.watch import Incident, Watched

WARM_UP = 10.0
"""Seconds of load on new backends whose answers do not count."""
REPLICATION = 0
"""The one that is replayed, every time: repetitions differ by the machine, not by what is sent."""
SERVERS = {Service.LLM: "LLM server", Service.EMBEDDING: "embedding server", Service.RETRIEVER: "retriever"}
"""What sentences call a backend."""


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
    recorder: Recorder | None = None
    """Keeps each replay as it ends."""


def validate(document: ScenarioDocument, bench: Bench, repetitions: int) -> list[Cell]:
    """Replay every variant at every point ``repetitions`` times, and simulate the same.

    Repetitions are interleaved, in a new order each time. Each is simulated at the pace that the machine had
    then. Everything that was started is stopped, whatever happens. Where a server is lost in a repetition the
    next one gets new ones; if there are none to be had, the rest is missed. Raises BadInput and
    CalibrationError, but nothing that would lose what was measured.
    """
    cells = list(cells_of(document))
    check_replayable(cell.document for cell in cells)
    for _, group in groupby(sorted(cells, key=attrgetter("cluster")), key=attrgetter("cluster")):
        turns = deque(_turns(list(group), repetitions))
        try:
            while turns:
                _run_live(turns, bench)
        except BackendFailed as error:
            if not any(cell.live for cell in cells):
                raise
            for turn in turns:
                turn.cell.missed.append(str(error))
    bench.report("simulating")
    for cell in cells:
        if bench.deployment is None:
            cell.document = with_gateway_costs(cell.document, bench.profiles)
        simulate_cell(cell, bench.profiles, bench.base)
    return cells


@dataclass(frozen=True, slots=True)
class Turn:
    """One replay that is due; ``said`` tells which."""

    cell: Cell
    said: str


def _turns(cells: Sequence[Cell], repetitions: int) -> Iterator[Turn]:
    for repetition in range(repetitions):
        order = random.Random(repetition).sample(cells, len(cells))  # noqa: S311
        for number, cell in enumerate(order, start=1):
            yield Turn(cell, f"repetition {repetition + 1} of {repetitions}: {number} of {len(order)}")


def _run_live(turns: deque[Turn], bench: Bench) -> None:
    """Start servers and let the turns have them, until none is left or a server was lost."""
    first = turns[0].cell.document
    served = live_places(first) if bench.deployment is None else []
    needed = [*served, *index_places(first)]
    with launched(needed, bench.profiles, bench.backends, bench.work, bench.report) as running:
        words = _words(first, bench)
        bench.report("warming up")
        short = first.model_copy(update={"duration_s": min(WARM_UP, first.duration_s)})
        warm = _replay(short, bench, running, words)
        if warm.lost:
            raise BackendFailed(f"while warming up: {', '.join(map(str, warm.incidents))}")
        lost = False
        while turns and not lost:
            cell = turns[0].cell
            bench.report(turns[0].said)
            found = _replay(cell.document, bench, running, words)
            cell.live.append(found)
            if bench.recorder is not None:
                bench.recorder.keep(cell.variant, cell.point, found)
            turns.popleft()
            lost = bool(found.lost)


def simulate_cell(cell: Cell, profiles: Profiles, base: Path) -> None:
    """As calibrated, and for each repetition at the machine's pace; equal ones share their requests."""
    paces, found = cell.machine_paces, {}
    for pace in {None, *paces}:
        found[pace] = simulate(cell.document, at_pace(profiles, pace), REPLICATION, base).requests
    cell.simulated = [found[pace] for pace in paces]
    cell.as_calibrated = found[None]
    cell.steps = list(all_engine_steps(cell.variant, cell.point, _logs(cell, profiles)))
    cell.legs = legs_of(cell.variant, cell.point, cell.document, list(_sides(cell)))


def _logs(cell: Cell, profiles: Profiles) -> dict[str, EngineLogs]:
    """Of each LLM backend whose steps are known, by its name."""
    found = {}
    for place in places(cell.document):
        paces = [pace for one in cell.live for pace in one.paces if pace.backend == place.name]
        if isinstance(place.spec, LLMBackends) and paces:
            form = step_seconds(served_llm(profiles, place.spec.profile))
            logs = [one.steps.get(place.name, []) for one in cell.live]
            found[place.name] = EngineLogs(paces, logs, form)
    return found


def _sides(cell: Cell) -> Iterator[Sides]:
    for one, simulated in zip(cell.live, cell.simulated, strict=True):
        yield Sides(one.requests, one.steps, one.aligned, simulated)


def _replay(document: ScenarioDocument, bench: Bench, running: Launched, words: TextMaker | None) -> Replayed:
    indexes = [running.addresses[place.name].url for place in index_places(document)]
    paced = list(pacings(document, bench.profiles, running))
    with _deployed(document, bench, running) as (to, front_door):
        watched = [front_door, *_backends(document, running)]
        front = Front(dict.fromkeys(to.models, to.url), to.models, words, indexes, watched)
        before, began = None if bench.deployment else _counted(to.url), time.monotonic()
        with asyncio.Runner(loop_factory=fine_loop) as runner:
            found = runner.run(replay(document, bench.profiles, REPLICATION, bench.base, front))
        # What a gateway counted that has died is gone.
        if bench.deployment is None and not found.incidents:
            wall = time.monotonic() - began
            found.incidents.extend(_audit(document, found, before, _counted(to.url), wall))
        for one in paced:
            if (pace := one.pace()) is not None:
                found.paces.append(pace)
            found.steps[one.backend] = in_replay(one.logged, found.began)
        return found


def _counted(gateway: str) -> Counts | None:
    with suppress(OSError):
        return counted(gateway)
    return None


def _audit(
    document: ScenarioDocument, found: Replayed, before: Counts | None, after: Counts | None, wall: float
) -> Iterator[Incident]:
    """How the gateway's counts contradict the clients'; notes its share of a core over ``wall`` seconds."""
    if before is None or after is None:
        yield Incident(document.duration_s, "the gateway did not tell what it counted")
        return
    found.cores["gateway"] = (after.processor - before.processor) / wall
    if (what := contradiction(after.outcomes, found.requests)) is not None:
        yield Incident(document.duration_s, what)


@contextmanager
def _deployed(
    document: ScenarioDocument, bench: Bench, running: Launched
) -> Iterator[tuple[Deployment, Watched]]:
    """The deployment that is validated, else the document's control plane in a process of its own."""
    if bench.deployment is not None:
        yield bench.deployment, Watched("the deployment", f"{bench.deployment.url}/v1/models")
        return
    with GatewayProcess(document, bench.profiles, running.addresses, bench.work) as gateway:
        gateway.wait_ready()
        models = {service_of(place): public_model(place, bench.profiles) for place in live_places(document)}
        door = Watched(gateway.what, f"{gateway.url}{gateway.check}", gateway, gateway.restart)
        yield Deployment(gateway.url, models), door


def _backends(document: ScenarioDocument, running: Launched) -> Iterator[Watched]:
    for place in places(document):
        if place.name in running.addresses:
            name = f"{SERVERS[service_of(place)]} {place.name}"
            url = f"{running.addresses[place.name].url}/health"
            yield Watched(name, url, running.processes.get(place.name))


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
