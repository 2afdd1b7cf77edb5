"""The smallest cluster at the scenario's own rate: every candidate's size bisected, all at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil, inf, log2

from simcore.scenario.document import ScenarioDocument
from simsage.energy import PER_OUTPUT
from simsage.metrics import ALL
from simsage.planning.candidate import Candidate
from simsage.planning.horizon import Horizon
from simsage.planning.judgement import Judgement, judge
from simsage.planning.lab import Lab, Observed, Trial
from simsage.planning.objective import Objective
from simsage.planning.price import Prices, backends_of, price_of
from simsage.planning.vary import Size
from simsage.statistics import NOTHING, Estimate, estimate


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate at the least size that is shown to meet the objectives, else at its greatest.

    ``tried`` has the state of every size that was simulated.
    """

    candidate: Candidate
    size: int | None
    backends: int
    price_per_hour: float | None
    judgement: Judgement
    tried: dict[int | None, str]
    joules_per_token: Estimate = NOTHING
    """Of all its machines per output token; no value where a profile has no power."""

    @property
    def met(self) -> bool:
        """Whether it does."""
        return self.judgement.state == "met"


class Search:
    """Judges candidates at sizes, each once, with random numbers that all candidates share."""

    def __init__(
        self, lab: Lab, scenario: ScenarioDocument, objectives: Sequence[Objective], horizon: Horizon
    ) -> None:
        self._lab, self._scenario, self._objectives, self._horizon = lab, scenario, objectives, horizon
        self._joules: dict[tuple[str, int | None], Estimate] = {}

    def run(self, candidates: Sequence[Candidate], size: Size | None, prices: Prices) -> list[Ranked]:
        """All candidates, the best first: those that meet, by price if all have one, else by backends."""
        found = self._bisect(candidates, size)
        ranked = [self._ranked(*pair, prices) for pair in zip(candidates, found, strict=True)]
        priced = all(one.price_per_hour is not None for one in ranked)
        return sorted(
            ranked, key=lambda one: (not one.met, one.price_per_hour if priced else 0, one.backends)
        )

    def _bisect(
        self, candidates: Sequence[Candidate], size: Size | None
    ) -> list[dict[int | None, Judgement]]:
        judged: list[dict[int | None, Judgement]] = [{} for _ in candidates]
        self._judge(candidates, judged, [size.high if size else None] * len(candidates))
        while size is not None:
            asked = [_next(sizes, size.low) for sizes in judged]
            if all(one is None for one in asked):
                break
            self._judge(candidates, judged, asked)
        return judged

    def _judge(
        self,
        candidates: Sequence[Candidate],
        judged: Sequence[dict[int | None, Judgement]],
        sizes: Sequence[int | None],
    ) -> None:
        """Simulate each candidate at its size in one batch; a size of None where others have one: done."""
        open_ones = [i for i, size in enumerate(sizes) if size is not None or not judged[i]]
        clusters = [candidates[i].document(self._scenario, sizes[i]) for i in open_ones]
        documents = [self._horizon.timed(cluster, 1.0) for cluster in clusters]
        count = self._lab.replications
        own = [(r, None) for r in range(count)]
        trials = [*own, *((member % count, member) for member in range(self._lab.draws))]
        seen = iter(self._lab.observe([Trial(document, *one) for document in documents for one in trials]))
        for i in open_ones:
            found = list(islice(seen, len(trials)))
            judged[i][sizes[i]] = judge(self._objectives, found[:count], found[count:])
            self._joules[candidates[i].label, sizes[i]] = _joules(found[:count])

    def _ranked(self, candidate: Candidate, judged: dict[int | None, Judgement], prices: Prices) -> Ranked:
        met = [size for size, one in judged.items() if one.state == "met"]
        size = min(met or judged, key=lambda one: _order(one, bool(met)))
        document = candidate.document(self._scenario, size)
        return Ranked(
            candidate=candidate,
            size=size,
            backends=backends_of(document),
            price_per_hour=price_of(document, self._lab.profiles, prices),
            judgement=judged[size],
            tried={one: judged[one].state for one in sorted(judged, key=lambda s: _order(s, True))},
            joules_per_token=self._joules[candidate.label, size],
        )


def _joules(trials: Sequence[Observed]) -> Estimate:
    found = [trial.rows[ALL].get(PER_OUTPUT) for trial in trials]
    known = [joules for joules in found if joules is not None]
    return estimate(known) if known and len(known) == len(found) else NOTHING


def evaluations(candidates: int, size: Size | None) -> int:
    """How many clusters a search simulates at most."""
    return candidates * (1 + (ceil(log2(size.high - size.low + 1)) if size else 0))


def _next(judged: dict[int | None, Judgement], low: int) -> int | None:
    """The size between the least that meets and the greatest below it that does not; None if that is done."""
    met = [size for size, one in judged.items() if size is not None and one.state == "met"]
    if not met:
        return None
    below = [size for size in judged if size is not None and size < min(met)]
    start = max(below, default=low - 1)
    return (start + min(met)) // 2 if min(met) - start > 1 else None


def _order(size: int | None, ascending: bool) -> float:
    value = inf if size is None else float(size)
    return value if ascending else -value
