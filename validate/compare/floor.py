"""The floor: how far live repetitions are from each other. No simulator can be asked to come closer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from simcore.metrics import Floats
from validate.compare.distance import kolmogorov_smirnov, statistics_of, wasserstein


@dataclass(frozen=True, slots=True)
class Floor:
    """The largest difference between any two live repetitions: ``values`` in seconds, by STATISTICS."""

    values: Floats
    kolmogorov_smirnov: float
    wasserstein: float


def floor_of(live: Sequence[Floats]) -> Floor | None:
    """The floor of one stream and metric; None where fewer than two repetitions leave none to see."""
    if len(live) < 2:
        return None
    pairs = list(combinations(live, 2))
    return Floor(
        values=np.ptp([statistics_of(one) for one in live], axis=0),
        kolmogorov_smirnov=max(kolmogorov_smirnov(*pair) for pair in pairs),
        wasserstein=max(wasserstein(*pair) for pair in pairs),
    )


def share_floor(shares: Floats) -> float:
    """The same of a share: the largest difference between two live repetitions, 0 of fewer."""
    return float(np.ptp(shares)) if shares.size else 0.0
