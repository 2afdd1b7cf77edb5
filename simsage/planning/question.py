"""Question: what a plan is to find, checked before anything is simulated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simcore.errors import BadInput, Fault
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import dump_scenario, load_scenario
from simsage.bundled import find_scenario
from simsage.environment import environment_of
from simsage.planning.candidate import Candidate, candidates_of, check_candidates
from simsage.planning.capacity import EVALUATIONS, Capacity, capacity_of
from simsage.planning.curve import LoadCurve
from simsage.planning.horizon import FEWEST, Horizon, counted_share, horizon_of
from simsage.planning.lab import Lab
from simsage.planning.load import check_scalable, rate_of
from simsage.planning.objective import Objective, check_objectives, parse_objectives, stated_objectives
from simsage.planning.plan import SCHEMA_VERSION, Plan
from simsage.planning.search import Ranked, Search, evaluations
from simsage.planning.vary import Vary, parse_vary
from simsage.profiles import check_against_profiles, load_profiles, profile_fault
from simsage.progress import Report
from simsage.summary import ScenarioIdentity

UNSCALABLE = "The load of these streams cannot be scaled: no capacity was looked for."


@dataclass(frozen=True, slots=True)
class Options:
    """How to plan, beside what is asked."""

    variants: Sequence[str] = ()
    """The scenario's variants to look at; all if none is named."""
    prices: Mapping[str, float] = field(default_factory=dict)
    """As in `simsage.planning.price`."""
    requests: int | None = None
    """In one replication at least; as many as time allows if not given."""
    jobs: int | None = None
    overwrite: bool = False
    report: Report = lambda text, share: None


@dataclass(frozen=True, slots=True)
class Question:
    """A question that was checked: nothing in it can be wrong any more."""

    document: ScenarioDocument
    objectives: list[Objective]
    vary: Vary
    candidates: list[Candidate]
    lab: Lab

    @classmethod
    def of(
        cls,
        path: str | Path,
        slos: Sequence[str],
        texts: Sequence[str],
        overrides: Mapping[str, Any],
        options: Options,
    ) -> Question:
        file = find_scenario(str(path))
        base = file.parent
        vary = parse_vary(texts)
        given = parse_objectives(slos)
        document = load_scenario(file, {"sweep": None} | overrides, lambda name: profile_fault(name, base))
        candidates = candidates_of(document, options.variants, vary)
        sizes = [vary.size.low, vary.size.high] if vary.size else [None]
        check_candidates(file, document, candidates, sizes)
        resolved = [one.document(document, size) for one in candidates for size in sizes]
        objectives = list(dict.fromkeys([*given, *stated_objectives(resolved[0])]))
        for one in resolved:
            check_objectives(one, objectives)
            if not texts:
                check_scalable(one)
        _check(document, objectives, bool(texts))
        profiles = load_profiles(resolved, base)
        check_against_profiles(file, resolved, profiles)
        lab = Lab(profiles, base, document.replications, options.jobs)
        return cls(document, objectives, vary, candidates, lab)

    def answer(self, options: Options) -> tuple[Plan, dict[str, Any]]:
        """The plan and what environment.json says."""
        largest = self._resolved(self.candidates[0], self.vary.size.high if self.vary.size else None)
        horizon = horizon_of(self.lab, largest, self.objectives, self._evaluations(), options.requests)
        ranked = self._search(horizon, options) if self._varied else []
        capacities = self._capacities(horizon, ranked, options)
        found = Plan(
            schema_version=SCHEMA_VERSION,
            scenario=_identity(self.document),
            seed=self.document.seed,
            replications=self.lab.replications,
            objectives=[str(one) for one in self.objectives],
            horizon=horizon,
            candidates=ranked,
            capacities=capacities,
            warnings=[*self._warnings(largest, horizon), *self.lab.warnings],
        )
        environment = environment_of(
            self.lab.profiles, found.seed, found.replications, self.lab.wall, self.lab.simulated
        )
        return found, environment

    @property
    def _varied(self) -> bool:
        return bool(self.vary.size or self.vary.choices)

    def _resolved(self, candidate: Candidate, size: int | None) -> ScenarioDocument:
        return candidate.document(self.document, size)

    def _evaluations(self) -> int:
        if not self._varied:
            return EVALUATIONS * len(self.candidates)
        return EVALUATIONS + evaluations(len(self.candidates), self.vary.size)

    def _search(self, horizon: Horizon, options: Options) -> list[Ranked]:
        options.report("looking for the smallest cluster", 0.0)
        search = Search(self.lab, self.document, self.objectives, horizon)
        return search.run(self.candidates, self.vary.size, options.prices)

    def _capacities(self, horizon: Horizon, ranked: Sequence[Ranked], options: Options) -> list[Capacity]:
        """Of every variant, or of the best candidate that was found, if its load can be scaled."""
        clusters = [(one, None) for one in self.candidates] if not self._varied else []
        chosen = [(one.candidate, one.size) for one in ranked[:1] if one.met]
        found = []
        for done, (candidate, size) in enumerate([*clusters, *chosen]):
            document = self._resolved(candidate, size)
            if not _scalable(document):
                self.lab.warnings[
                    "The load of these streams cannot be scaled: no capacity was looked for."
                ] = None
                continue
            label = candidate.label + (f", {candidate.key}={size}" if size is not None else "")
            options.report(f"finding the capacity of {label}", done / len([*clusters, *chosen]))
            curve = LoadCurve(self.lab, document, horizon)
            found.append(capacity_of(label, rate_of(document), curve, self.objectives))
        return found

    def _warnings(self, document: ScenarioDocument, horizon: Horizon) -> list[str]:
        counted = horizon.requests * counted_share(document, self.objectives)
        if not horizon.requests or counted >= FEWEST:
            return []
        return [f"The rarest stream has {counted:.0f} requests a replication: few for a p99."]


def _check(document: ScenarioDocument, objectives: Sequence[Objective], varied: bool) -> None:
    faults = []
    if document.replications < 2:
        found = f"{document.replications} replication"
        faults.append(Fault(document.name, 0, "replications", found, "2 or more: one has no interval"))
    if varied and not objectives:
        allowed = "--slo, or slo in a stream: what a cluster has to meet"
        faults.append(Fault("--slo", 0, "", "no objective", allowed))
    if faults:
        raise BadInput(faults)


def _scalable(document: ScenarioDocument) -> bool:
    try:
        check_scalable(document)
    except BadInput:
        return False
    return True


def _identity(document: ScenarioDocument) -> ScenarioIdentity:
    digest = "sha256:" + hashlib.sha256(dump_scenario(document).encode()).hexdigest()
    return ScenarioIdentity(document.name, document.title, digest)
