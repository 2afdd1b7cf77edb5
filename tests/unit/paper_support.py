"""Made-up runs as evidence for tests of what a paper says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simcore.request import Outcome, Service
from simcore.result import BackendUsage, ControlPlaneUsage
from simcore.scenario.document import ScenarioDocument, VerdictSpec
from simsage.metrics import ALL, Sample
from simsage.paper.evidence import Evidence
from simsage.paper.experiment import Experiment
from simsage.paper.facts import Facts
from simsage.paper.numbers import Numbers
from simsage.replication import Cell, Measured
from simsage.saturation import Backlog, Pile
from simsage.summary import summarise
from tests.factories import constant, poisson, scenario

CHAT = {"kind": "chat", "prompt_tokens": constant(64), "output_tokens": constant(11), "arrivals": poisson(6)}
SPEC = VerdictSpec(claim="It helps", stream="chat", metric="ttft", variant="new", baseline="old")
STEADY = {
    "offered_rate": 10.0,
    "request_throughput": 10.0,
    "in_system_first_third": 1.0,
    "in_system_last_third": 1.0,
}

Values = Mapping[str, Sequence[float]]
"""A metric's name, or ``stream/stage metric``, and its value in each replication."""
Usage = tuple[list[BackendUsage], list[ControlPlaneUsage]]


def usage(llm: float = 0.5, queue: float = 0.0, plane: float = 0.0, deciding: float = 1.0) -> Usage:
    """An LLM replica and an embedding server on one machine, over ten seconds."""
    backends = [
        BackendUsage("llm-0", Service.LLM, "gpu-0", "gpu", 10.0, 10 * llm, 100, 3.0, queue, 0.25, 0.5, 2),
        BackendUsage("embed-0", Service.EMBEDDING, "gpu-0", "small", 10.0, 1.0, 20, 1.5, 0.0),
    ]
    return backends, [ControlPlaneUsage("plane", 100, plane, deciding)]


def experiment(**changes: Any) -> Experiment:
    """One of two variants, of which ``new`` is to lower the first token's tail."""
    made: dict[str, Any] = {
        "section": "5.0",
        "title": "Made up",
        "scenario": "made_up",
        "goal": "Does it help?",
        "hypotheses": (SPEC,),
        "side_effects": (),
        "topics": ("claims",),
        "figures": (),
    }
    return Experiment(**(made | changes))


def facts(
    cells: Mapping[tuple[str, float | None], Values],
    used: Mapping[str, Usage] | None = None,
    prices: Mapping[str, float] | None = None,
    watts: Mapping[str, float] | None = None,
    document: ScenarioDocument | None = None,
    **changes: Any,
) -> Facts:
    """Facts of a run in which each cell's metrics were as given; ``used`` is by variant."""
    document = document or _document(cells)
    runs = [
        _measured(Cell(*cell, number, document), values, number, (used or {}).get(cell[0], usage()))
        for cell, values in cells.items()
        for number in range(document.replications)
    ]
    summary = summarise(document, "", {"digest": "", "profiles": {}}, runs)
    by_cell = {cell: [r for r in runs if (r.cell.variant, r.cell.point) == cell] for cell in cells}
    evidence = Evidence(experiment(**changes), Path("nowhere"), summary, document, {}, by_cell)
    return Facts(evidence, Numbers(), prices or {}, watts or {})


def _document(cells: Mapping[tuple[str, float | None], Values], **parts: Any) -> ScenarioDocument:
    points = [point for point in dict.fromkeys(point for _, point in cells) if point is not None]
    sweep = {"label": "rate", "points": points, "set": {"streams.chat.arrivals.rate": 1.0}}
    variants = [{"name": name} for name in dict.fromkeys(name for name, _ in cells)]
    count = max(len(series) for values in cells.values() for series in values.values())
    made = {"streams": {"chat": CHAT}, "variants": variants, "replications": count}
    return scenario(**(made | ({"sweep": sweep} if points else {}) | parts))


def swept_backends(cells: Mapping[tuple[str, float | None], Values]) -> ScenarioDocument:
    """The scenario of cells whose points are numbers of backends."""
    points = list(dict.fromkeys(point for _, point in cells))
    sweep = {"label": "backends", "points": points, "set": {"backends.llm.count": 1}}
    return _document(cells, sweep=sweep)


def _measured(cell: Cell, values: Values, number: int, used: Usage) -> Measured:
    rows = {(ALL, ""): dict(STEADY), ("chat", ""): dict(STEADY)}
    for name, series in values.items():
        place, _, metric = name.rpartition(" ")
        stream, _, stage = (place or "chat").partition("/")
        rows.setdefault((stream, stage), dict(STEADY))[metric] = float(series[number])
    outcomes = {one.value: 0 for one in Outcome} | {"completed": 100}
    samples = [Sample(*row, 100, outcomes, found, _backlog(found)) for row, found in rows.items()]
    return Measured(cell, samples, *used, horizon=10.0, events=1, wall=0.0, range_excesses=[], assumptions=[])


def _backlog(values: Mapping[str, float]) -> Backlog:
    """What is not served of 100 requests waits, and becomes more and more from nothing on."""
    left = 100 * (1 - values["request_throughput"] / values["offered_rate"])
    return Backlog(window=10, sent=100, waiting=Pile(0, left / 6, left / 2, 5 * left / 6, left))
