"""Arrival times of open-loop clients."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, gamma, sqrt

import numpy as np
from numpy.typing import NDArray

from simcore.scenario.expected import expected_arrivals
from simcore.scenario.workload import (
    Bursts,
    GammaArrivals,
    Poisson,
    Ramp,
    Steady,
    WeibullArrivals,
)

Times = NDArray[np.float64]
OpenLoop = Poisson | Steady | GammaArrivals | WeibullArrivals | Bursts | Ramp


def arrival_times(spec: OpenLoop, duration: float, rng: np.random.Generator) -> Times:
    """Seconds in [0, duration), ascending.

    The Poisson processes (also ``bursts`` and ``ramp``) are a process of rate 1 on a stretched time axis
    (Cinlar, Introduction to Stochastic Processes, 1975), so they are exact and the same draws serve every
    rate. The renewal processes (``gamma``, ``weibull``) start with a whole gap.
    """
    expected = expected_arrivals(spec, duration)
    match spec:
        case Poisson():
            times = _unit_poisson(expected, rng) / spec.rate
        case Steady():
            times = np.arange(ceil(expected)) / spec.rate
        case GammaArrivals():
            shape = spec.cv**-2
            times = _renewal(lambda n: rng.standard_gamma(shape, n) / shape, expected) / spec.rate
        case WeibullArrivals():
            mean = gamma(1 + 1 / spec.shape)
            times = _renewal(lambda n: rng.weibull(spec.shape, n) / mean, expected) / spec.rate
        case Bursts():
            times = _burst_times(spec, _unit_poisson(expected, rng))
        case Ramp():
            times = _ramp_times(spec, duration, _unit_poisson(expected, rng))
    return times[times < duration]


def _unit_poisson(mass: float, rng: np.random.Generator) -> Times:
    return _renewal(rng.standard_exponential, mass)


def _renewal(gaps: Callable[[int], Times], until: float) -> Times:
    """Partial sums of gaps of mean 1, all of those below ``until``."""
    sums = np.cumsum(gaps(_chunk(until)))
    while sums[-1] < until:
        sums = np.concatenate([sums, sums[-1] + np.cumsum(gaps(_chunk(until - float(sums[-1]))))])
    return sums[: int(np.searchsorted(sums, until))]


def _chunk(expected: float) -> int:
    return int(expected + 4 * sqrt(expected)) + 16


def _burst_times(spec: Bursts, masses: Times) -> Times:
    quiet = spec.period_s - spec.burst_s
    calm_mass = spec.rate * quiet
    period, mass = np.divmod(masses, calm_mass + spec.burst_rate * spec.burst_s)
    within = quiet + (mass - calm_mass) / spec.burst_rate
    np.divide(mass, spec.rate, out=within, where=mass < calm_mass)
    return period * spec.period_s + within


def _ramp_times(spec: Ramp, duration: float, masses: Times) -> Times:
    """Solves a t + (b - a) t^2 / (2 T) = mass in the form that holds for b = a and for a = 0 too."""
    a, b = spec.from_rate, spec.to_rate
    return 2 * masses / (a + np.sqrt(np.maximum(a * a + 2 * (b - a) * masses / duration, 0.0)))
