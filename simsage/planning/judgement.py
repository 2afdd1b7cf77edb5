"""Judgement: whether a cluster meets the objectives, as far as its replications show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from simsage.doubt import Figure, doubted
from simsage.planning.lab import Observed
from simsage.planning.objective import Objective
from simsage.statistics import NOTHING, Estimate, estimate

State = Literal["met", "not met", "not shown"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """``margin`` is that of the worst objective, as a share of its limit."""

    state: State
    worst: str
    margin: Figure
    saturated: bool
    """In at least one replication, of the profiles or of a member of their ensembles."""


def judge(
    objectives: Sequence[Objective], seen: Sequence[Observed], members: Sequence[Observed] = ()
) -> Judgement:
    """Met where the whole 95% interval of every margin is at 0 or above and no replication is saturated.

    Not met where one whole interval is below 0, or all replications are saturated; else it is not shown.
    ``members`` are draws from the profiles' ensembles in turn through the replications: the intervals hold
    them too, and none may be saturated.
    """
    margins = {str(one): _margin(one, seen, members) for one in seen[0].judged(objectives)}
    worst = min(margins, key=lambda name: _low(margins[name]), default="")
    saturated = [sample.saturated for sample in (*seen, *members)]
    margin = margins.get(worst, NOTHING)
    return Judgement(_state(list(margins.values()), saturated), worst, margin, any(saturated))


def _margin(objective: Objective, seen: Sequence[Observed], members: Sequence[Observed]) -> Estimate:
    found = [objective.margin(sample.rows) for sample in seen]
    if -inf in found:
        # The percentile lies among the lost requests there: missed, however late they would have been.
        return Estimate(-inf, (-inf, -inf if max(found) == -inf else inf), len(found))
    moved = [objective.margin(one.rows) - found[number % len(found)] for number, one in enumerate(members)]
    return doubted(estimate(found), moved)


def _state(margins: Sequence[Estimate], saturated: Sequence[bool]) -> State:
    if all(saturated) or any((ends := margin.whole) is not None and ends[1] < 0 for margin in margins):
        return "not met"
    if any(saturated) or any(_low(margin) < 0 for margin in margins):
        return "not shown"
    return "met"


def _low(margin: Estimate) -> float:
    return -inf if margin.whole is None else margin.whole[0]
