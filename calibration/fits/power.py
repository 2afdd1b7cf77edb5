"""fit_power: joules per step and token from power samples beside what was computed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fits.linear import fit_linear
from calibration.power_samples import AVERAGED, RAMP, PowerSample

Array = NDArray[np.float64]

LEAST = 1.2
"""Times the idle power that a sample has to be to say something of work."""
LLM = ("llm_step", "llm_token", "llm_kv_token")
EMBEDDING = ("embedding_token",)
NAMES = LLM + EMBEDDING


@dataclass(frozen=True, slots=True)
class Work:
    """Something computed between two times, in the samples' seconds: amounts by name, of `NAMES`."""

    since: float
    until: float
    amounts: dict[str, float]


@dataclass(frozen=True, slots=True)
class FittedPower:
    """Joules by name with their 95% intervals; ``idle_watts`` beside them."""

    idle_watts: float
    joules: dict[str, float]
    intervals: dict[str, tuple[float, float]]

    def watts(self, rates: Array, names: Sequence[str]) -> Array:
        """Of amounts per second; one row a time, one column a name."""
        found: Array = self.idle_watts + rates @ np.array([self.joules.get(name, 0.0) for name in names])
        return found


def fit_power(idle_watts: float, samples: Sequence[PowerSample], works: Sequence[Work]) -> FittedPower:
    """Non-negative joules whose watts beside ``idle_watts`` are off least, relatively.

    Each sample stands for the second before it, and one that is hardly above idle says nothing; of samples
    that share a second the first counts, so that the intervals, a bootstrap over samples, are not too
    narrow. Names that no work has are left out. Raises `Underdetermined`.
    """
    apart = spaced([sample for sample in samples if sample.watts > LEAST * idle_watts])
    names = [name for name in NAMES if any(work.amounts.get(name) for work in works)]
    watts = np.array([sample.watts for sample in apart])
    fitted = fit_linear(names, rates(apart, works, names), watts - idle_watts)
    return FittedPower(idle_watts, fitted.coefficients, fitted.intervals)


def idle_watts(samples: Sequence[PowerSample], works: Sequence[Work], clock_mhz: float = 1000.0) -> float:
    """The median of samples before which nothing was computed for `RAMP` seconds, the clock being up.

    Raises ValueError where there is none.
    """
    ends = np.sort([work.until for work in works])
    begins = np.sort([work.since for work in works])
    quiet = [
        sample.watts
        for sample in samples
        if sample.sm_mhz >= clock_mhz
        and np.searchsorted(begins, sample.at) == np.searchsorted(ends, sample.at - RAMP)
    ]
    if not quiet:
        raise ValueError("no sample of an idle device with its clock up")
    return float(np.median(quiet))


def spaced(samples: Sequence[PowerSample]) -> list[PowerSample]:
    """Samples whose seconds do not overlap."""
    kept: list[PowerSample] = []
    for sample in samples:
        if not kept or sample.at >= kept[-1].at + AVERAGED:
            kept.append(sample)
    return kept


def rates(samples: Sequence[PowerSample], works: Sequence[Work], names: Sequence[str]) -> Array:
    """Amounts per second over the second before each sample, shape (samples, names).

    Work is taken to be done evenly between its two times.
    """
    ends = np.array([sample.at for sample in samples])
    since = np.array([work.since for work in works])
    until = np.maximum(np.array([work.until for work in works]), since + 1e-6)
    amounts = np.array([[work.amounts.get(name, 0.0) for name in names] for work in works])
    overlap = np.minimum(until, ends[:, None]) - np.maximum(since, ends[:, None] - AVERAGED)
    found: Array = (np.clip(overlap, 0.0, None) / (until - since)) @ amounts / AVERAGED
    return found
