"""form_errors: how far a server's fit is off its own calibration, as what it may be off elsewhere.

Two rates are too few to leave one out: each tells what the other cannot. But the fit has more figures than
values, which have priors, and some figures enter no fit: each p99, and behind an outlet each TPOT but the
mean. What remains of a statistic at the calibrated rates is what the form misses of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, hypot

import numpy as np
from scipy.stats import t

from calibration.derive.serving_benchmark import BenchmarkedServer, Figures
from calibration.derive.serving_benchmark_fit import Predicted

WAIT = "TTFT"
"""The metric that is a sum of waits: one that the model does not have adds seconds. Others go by factors."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Half of the 95% interval of what the form misses, in seconds of a wait, in the logarithm of a pace."""

    seconds: float = 0.0
    logarithm: float = 0.0

    def around(self, found: Predicted) -> Predicted:
        """The prediction with this beside what its members leave open; the two are independent.

        No wait is shorter than nothing.
        """
        (low, high), middle = found.interval, found.value
        if self.seconds:
            below = hypot(middle - low, self.seconds)
            above = hypot(high - middle, self.seconds)
            return Predicted(middle, (max(0.0, middle - below), middle + above))
        below, above = (hypot(float(np.log(end / middle)), self.logarithm) for end in found.interval)
        return Predicted(middle, (middle * exp(-below), middle * exp(above)))


def form_errors(
    server: BenchmarkedServer, rates: Sequence[float], said: Sequence[Mapping[float, Figures]]
) -> dict[tuple[str, str], Missed]:
    """By metric and statistic, from the middle of what the members said of the ``rates`` of the calibration.

    A rate is a group, and Student's distribution has as many degrees of freedom as there are.
    """
    factor = float(t.ppf(0.975, len(rates)))
    found: dict[tuple[str, str], Missed] = {}
    for metric, name in said[0][rates[0]]:
        pairs = [
            (float(np.median([one[rate][metric, name] for one in said])), server.at(rate)[0].figures)
            for rate in rates
        ]
        real = [(middle, figures[metric, name]) for middle, figures in pairs]
        if metric == WAIT:
            missed = [middle - measured for middle, measured in real]
            found[metric, name] = Missed(seconds=factor * _spread(missed))
        else:
            ratios = [float(np.log(middle / measured)) for middle, measured in real]
            found[metric, name] = Missed(logarithm=factor * _spread(ratios))
    return found


def _spread(deviations: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(deviations))))
