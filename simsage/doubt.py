"""Doubt: what a calibration leaves open of a figure, beside what chance does to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, hypot, isnan, log, sqrt

from scipy.special import stdtrit

from simsage.statistics import CONFIDENCE, NOISE, NOTHING, Estimate


@dataclass(frozen=True, slots=True)
class Doubted(Estimate):
    """An estimate whose calibration was varied. ``ci95`` is of chance alone, as everywhere.

    ``calibration`` is half of the 95% interval that the ensembles leave; ``combined`` has both, and is None
    where one replication tells nothing of chance.
    """

    calibration: float
    combined: tuple[float, float] | None
    members: int

    @property
    def whole(self) -> tuple[float, float] | None:
        """The interval of chance and calibration together."""
        return self.combined


Figure = Doubted | Estimate
"""How a file's figures are read: with what the calibration leaves open where that was looked at."""


def doubted(found: Estimate, differences: Iterable[float]) -> Estimate:
    """The estimate with what the members' ``differences`` from the best fit leave open.

    Each member's figure is taken less that of the best fit in the same replication, which has the same random
    numbers, so that chance cancels. The differences are draws from a distribution about zero, and so is the
    truth's: half of its 95% interval is the t quantile of their number times the root of their mean square.
    Chance and calibration are independent, so the squares of the two half-widths add up.
    """
    known = [one for one in differences if not isnan(one)]
    if found.value is None or not known:
        return found
    spread = sqrt(sum(one**2 for one in known) / len(known))
    spread = spread if spread > NOISE * abs(found.value) else 0.0
    half = float(stdtrit(len(known), (1 + CONFIDENCE) / 2)) * spread
    return Doubted(found.value, found.ci95, found.replications, half, _combined(found, half), len(known))


def doubted_ratio(found: Estimate, factors: Iterable[float]) -> Estimate:
    """The same of a ratio, on the log scale: ``factors`` are the members' ratios over the best fit's.

    ``calibration`` is half the width of the interval that the calibration alone would leave.
    """
    known = [log(one) for one in factors if one > 0]
    if found.value is None or not known or found.value <= 0:
        return found
    ends = (log(found.ci95[0]), log(found.ci95[1])) if found.ci95 else None
    logs = doubted(Estimate(log(found.value), ends, found.replications), known)
    assert isinstance(logs, Doubted)
    half = found.value * (exp(logs.calibration) - exp(-logs.calibration)) / 2
    combined = (exp(logs.combined[0]), exp(logs.combined[1])) if logs.combined else None
    return Doubted(found.value, found.ci95, found.replications, half, combined, len(known))


def together(found: Estimate) -> Estimate:
    """The estimate with one interval, of all that is known to be uncertain."""
    return Estimate(found.value, found.whole, found.replications)


def scaled(found: Estimate, factor: float) -> Estimate:
    """The estimate in a unit of which ``factor`` make one of its own."""
    if found.value is None:
        return NOTHING
    value, ends = found.value * factor, _times(found.ci95, factor)
    if not isinstance(found, Doubted):
        return Estimate(value, ends, found.replications)
    half, combined = found.calibration * factor, _times(found.combined, factor)
    return Doubted(value, ends, found.replications, half, combined, found.members)


def _combined(found: Estimate, calibration: float) -> tuple[float, float] | None:
    if found.value is None or found.half_width is None or not calibration:
        return found.ci95
    half = hypot(found.half_width, calibration)
    return (found.value - half, found.value + half)


def _times(ends: tuple[float, float] | None, factor: float) -> tuple[float, float] | None:
    return (ends[0] * factor, ends[1] * factor) if ends else None
