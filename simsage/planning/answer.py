"""answer: the plan that a question asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import dump_scenario
from simcore.scenario.workload import ClosedLoop
from simsage.environment import environment_of
from simsage.planning.candidate import Candidate, short
from simsage.planning.capacity import Capacity, capacity_of
from simsage.planning.curve import LoadCurve
from simsage.planning.horizon import FEWEST, Horizon, counted_share, horizon_of
from simsage.planning.lab import Lab
from simsage.planning.load import rate_of, scaling_faults
from simsage.planning.plan import SCHEMA_VERSION, Plan
from simsage.planning.question import Options, Question
from simsage.planning.search import Ranked, Search
from simsage.statistics import estimate
from simsage.summary import ScenarioIdentity


def answer(question: Question, options: Options) -> tuple[Plan, dict[str, Any]]:
    """The plan and the content of its environment.json."""
    document = question.document
    count, asked = document.replications, question.evaluations
    profiles, base = question.profiles, question.base
    lab = Lab(profiles, base, count, options.jobs, options.report, count * asked, question.draws)
    first = question.candidates[0].document(document, question.largest)
    horizon = horizon_of(lab, first, question.objectives, asked, options.requests)
    ranked = _search(question, lab, horizon, options) if question.vary else []
    capacities = _capacities(question, lab, horizon, ranked)
    environment = environment_of(question.profiles, document.seed, count, lab.wall, lab.simulated)
    plan = Plan(
        schema_version=SCHEMA_VERSION,
        scenario=ScenarioIdentity.of(document, dump_scenario(document)),
        seed=document.seed,
        replications=count,
        objectives=[str(one) for one in question.objectives],
        horizon=horizon,
        candidates=ranked,
        capacities=capacities,
        warnings=[*_few(question, first, horizon), *_unscaled(ranked, capacities), *lab.warnings],
        validated={name: facts["validated"] for name, facts in environment["profiles"].items()},
    )
    return plan, environment


def _search(question: Question, lab: Lab, horizon: Horizon, options: Options) -> list[Ranked]:
    search = Search(lab, question.document, question.objectives, horizon)
    return search.run(question.candidates, question.vary.size, options.prices)


def _capacities(question: Question, lab: Lab, horizon: Horizon, ranked: Sequence[Ranked]) -> list[Capacity]:
    """Of every variant, or of the best candidate that was found."""
    clusters: list[tuple[Candidate, int | None]] = [
        (one.candidate, one.size) for one in ranked[:1] if one.met
    ]
    if not question.vary:
        clusters = [(candidate, None) for candidate in question.candidates]
    found = []
    for candidate, size in clusters:
        document = candidate.document(question.document, size)
        if not scaling_faults(document):
            label = candidate.label + (f", {short(candidate.key)}={size}" if candidate.key else "")
            curve = LoadCurve(lab, document, horizon)
            rate = rate_of(document) or _seen_rate(document, curve)
            found.append(capacity_of(label, rate, curve, question.objectives))
    return found


def _seen_rate(document: ScenarioDocument, curve: LoadCurve) -> float | None:
    """Of traces, whose files say it: requests per second of all open-loop streams at load 1."""
    streams = [name for name, one in document.streams.items() if not isinstance(one.arrivals, ClosedLoop)]
    seen = [
        sum(one.rows[name]["offered_rate"] for name in streams if name in one.rows) for one in curve.at(1.0)
    ]
    return estimate(seen).value


def _few(question: Question, document: ScenarioDocument, horizon: Horizon) -> list[str]:
    counted = horizon.requests * counted_share(document, question.objectives)
    if not horizon.requests or counted >= FEWEST:
        return []
    return [f"The rarest stream has {counted:.0f} requests a replication: few for a p99."]


def _unscaled(ranked: Sequence[Ranked], capacities: Sequence[Capacity]) -> list[str]:
    if not ranked or not ranked[0].met or capacities:
        return []
    return ["The load of these streams cannot be scaled, so the capacity of the best was not looked for."]
