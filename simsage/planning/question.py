"""Question: what a plan is to find, checked before anything is simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from simcore.errors import BadInput, Fault
from simcore.members import draws_of
from simcore.profile.document import ProfileDocument
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.load import load_scenario
from simsage.bundled import find_scenario
from simsage.planning.candidate import Candidate, candidates_of, check_candidates
from simsage.planning.capacity import EVALUATIONS
from simsage.planning.following import EVALUATIONS as MEMBER_EVALUATIONS
from simsage.planning.load import scaling_faults
from simsage.planning.objective import Objective, check_objectives, parse_objectives, stated_objectives
from simsage.planning.price import check_prices
from simsage.planning.search import evaluations
from simsage.planning.vary import Vary, parse_vary
from simsage.profiles import check_against_profiles, load_profiles, profile_fault
from simsage.progress import Report


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
    doubt: bool = True
    """Whether the members of the profiles' ensembles are simulated too, where there are any."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question that was checked: nothing in it can be wrong any more."""

    document: ScenarioDocument
    objectives: list[Objective]
    vary: Vary
    candidates: list[Candidate]
    profiles: Mapping[str, ProfileDocument]
    base: Path
    draws: int
    """From the profiles' ensembles."""

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
        vary, given = parse_vary(texts), parse_objectives(slos)
        document = load_scenario(file, {"sweep": None, **overrides}, lambda name: profile_fault(name, base))
        candidates = candidates_of(document, options.variants, vary)
        sizes = [vary.size.low, vary.size.high] if vary.size else [None]
        check_candidates(file, document, candidates, sizes)
        resolved = [one.document(document, size) for one in candidates for size in sizes]
        stated = [objective for one in resolved for objective in stated_objectives(one)]
        named = {(one.stream, one.metric) for one in given}
        stated = [one for one in stated if (one.stream, one.metric) not in named]
        objectives = list(dict.fromkeys([*given, *stated]))
        check_objectives(resolved, objectives)
        _check(document, objectives, resolved, vary)
        profiles = load_profiles(resolved, base)
        check_against_profiles(file, resolved, profiles)
        check_prices(options.prices, profiles)
        draws = draws_of(profiles) if options.doubt else 0
        return cls(document, objectives, vary, candidates, profiles, base, draws)

    @property
    def largest(self) -> int | None:
        """The greatest size, if one is varied."""
        return self.vary.size.high if self.vary.size else None

    @property
    def evaluations(self) -> int:
        """Of how many clusters and loads all replications are simulated, about; the draws count as some."""
        sizes = evaluations(len(self.candidates), self.vary.size) if self.vary else 0
        capacities = 1 if self.vary else len(self.candidates)
        drawn = self.draws * (MEMBER_EVALUATIONS * capacities + sizes)
        return EVALUATIONS * capacities + sizes + ceil(drawn / self.document.replications)


def _check(
    document: ScenarioDocument,
    objectives: Sequence[Objective],
    resolved: Sequence[ScenarioDocument],
    vary: Vary,
) -> None:
    faults = [] if vary else [fault for one in resolved for fault in scaling_faults(one)]
    if document.replications < 2:
        found = f"{document.replications} replication"
        faults.append(Fault(document.name, 0, "replications", found, "2 or more: one has no interval"))
    if vary and not objectives:
        allowed = "--slo, or slo in a stream: what a cluster has to meet"
        faults.append(Fault("--slo", 0, "", "no objective", allowed))
    if faults:
        raise BadInput(dict.fromkeys(faults))
