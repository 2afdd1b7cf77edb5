"""Ratios of one metric between two cases, and whether two ratios say the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simcore.metrics import Floats
from validate.compare.bootstrap import Statistic, mean_of_picks, percentile_interval, resample
from validate.compare.intervals import longest_block
from validate.compare.verdict import Ratio


def ratio_of(
    of: Sequence[Floats], over: Sequence[Floats], statistic: Statistic, seed: int, resamples: int
) -> Ratio:
    """The geometric mean of the statistic's ratio over paired repetitions, with its bootstrap interval.

    Repetitions without a partner are left out; there is no interval where a resample has nothing to divide.
    """
    pairs = min(len(of), len(over))
    sides = [of[:pairs], over[:pairs]]
    if not pairs or not all(one.size for side in sides for one in side):
        return Ratio(value=None, ci95=None)
    above, below = (np.array([statistic(one[None, :])[0] for one in side]) for side in sides)
    if not bool(np.all((above > 0) & (below > 0))):
        return Ratio(value=None, ci95=None)
    block = longest_block([*sides[0], *sides[1]])
    drawn = resample(sides, block, statistic, seed, resamples)
    if not all(bool(np.all(one > 0)) for side in drawn for one in side):
        return Ratio(value=_geometric_mean(above / below), ci95=None)
    logs = [np.log(one / other) for one, other in zip(*drawn, strict=True)]
    interval = percentile_interval(np.exp(mean_of_picks(logs, seed)))
    return Ratio(value=_geometric_mean(above / below), ci95=interval)


def _geometric_mean(ratios: Floats) -> float:
    return float(np.exp(np.log(ratios).mean()))


def agree(live: Ratio, simulated: Ratio) -> bool | None:
    """Whether both lie on the same side of 1, or both tie.

    Where one side alone ties, it agrees if its interval includes the other's ratio: then it cannot tell that
    ratio from 1, and does not contradict it.
    """
    directions = (live.direction, simulated.direction)
    if None in directions:
        return None
    if directions[0] == directions[1]:
        return True
    if 0 not in directions:
        return False
    tie, decided = (live, simulated) if directions[0] == 0 else (simulated, live)
    assert tie.ci95 is not None
    assert decided.value is not None
    return tie.ci95[0] <= decided.value <= tie.ci95[1]
