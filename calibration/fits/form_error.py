"""FormError: how far a fitted form is off measurements that it did not see, and members that are as far off.

An ensemble varies the coefficients of one form. What the form itself misses, and what a machine does
otherwise in one run than in the next, is common to all of a run and in no coefficient: it shows where whole
groups of measurements (a replay, a load, a model) are left out of the fit. It is a variance component of its
own, between groups, beside the coefficients' covariance (Searle, Casella and McCulloch, Variance Components,
1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from calibration.fits.ensemble import SIZE
from calibration.fits.linear import Array

NORMAL = NormalDist()
CONFIDENCE = 0.95
TRIED = 100


@dataclass(frozen=True, slots=True)
class FormError:
    """The root mean square of ``groups`` groups' deviations, in the logarithm, about the fit without them.

    The deviations hold what chance did to a group and what its absence did to the coefficients; neither is
    taken off.
    """

    spread: float
    groups: int

    @property
    def half(self) -> float:
        """Half of the 95% interval of one more group's deviation: Student's, about zero."""
        return self.spread * float(t.ppf((1 + CONFIDENCE) / 2, self.groups))

    def factors(self, seed: int, count: int = SIZE) -> list[float]:
        """A factor a member: normal scores of that 95% interval, in an order of their own for each seed.

        Scores are evenly spaced quantiles, scaled to unit variance, not draws: twenty draws would miss their
        own spread by a sixth.
        """
        deviation = self.half / NORMAL.inv_cdf((1 + CONFIDENCE) / 2)
        return [float(factor) for factor in np.exp(deviation * _scores(count)[_order(seed, count)])]

    def said(self, of: str) -> str:
        """What a profile's notes say of it; ``of`` says what of, and whether the groups were left out."""
        return (
            f"error of form, {of}: {self.spread:.1%} (root mean square over {self.groups} groups), "
            f"which its members have beside the coefficients': 95% within {self.half:.1%}"
        )


NO_ERROR = FormError(0.0, 1)
"""Where no group was left out."""


def form_error(deviations: Sequence[float]) -> FormError:
    """From the logarithms of what was foretold of each group over what was measured; at least one."""
    return FormError(float(np.sqrt(np.mean(np.square(deviations)))), len(deviations))


def _scores(count: int) -> Array:
    scores = np.array([NORMAL.inv_cdf((i + 0.5) / count) for i in range(count)])
    return np.asarray(scores / np.sqrt(np.mean(scores**2)))


@cache
def _order(seed: int, count: int) -> NDArray[np.int64]:
    """Of `TRIED` permutations that whose scores go least with those of any smaller seed.

    Parts of a member are independent; two permutations of twenty at random correlate by 0.23.
    """
    rng, scores = np.random.default_rng([count, seed]), _scores(count)
    tried = [rng.permutation(count) for _ in range(TRIED)]
    before = [scores[_order(other, count)] for other in range(seed)]
    return min(tried, key=lambda order: max((abs(float(scores[order] @ one)) for one in before), default=0.0))
