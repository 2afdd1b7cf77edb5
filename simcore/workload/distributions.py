"""Draws from the distributions that a scenario names."""

from __future__ import annotations

from math import erf, exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from simcore.scenario.workload import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Uniform,
)

MOST = 1_000_000_000
"""No draw is larger, as no value in a scenario is."""


def draw_floats(spec: Distribution, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """``n`` values, shape (n,), in the unit that ``spec`` is given in."""
    match spec:
        case Constant():
            return np.full(n, float(spec.value))
        case Uniform():
            return rng.uniform(spec.low, spec.high, n)
        case Exponential():
            return np.minimum(spec.mean * rng.standard_exponential(n), MOST)
        case Lognormal():
            with np.errstate(over="ignore"):
                values = spec.median * np.exp(spec.sigma * rng.standard_normal(n))
            return np.minimum(values, spec.high or MOST)
        case Gamma():
            shape = spec.cv**-2
            return np.minimum(spec.mean / shape * rng.standard_gamma(shape, n), MOST)
        case Empirical():
            weights = np.array(spec.weights or [1.0] * len(spec.values))
            return rng.choice(np.array(spec.values, dtype=float), n, p=weights / weights.sum())


def draw_counts(spec: Distribution, n: int, rng: np.random.Generator, least: int = 1) -> NDArray[np.int64]:
    """``n`` whole numbers, shape (n,), none below ``least``: the draws rounded to the nearest.

    A uniform count takes each whole number from low to high with the same probability.
    """
    if isinstance(spec, Uniform):
        counts = rng.integers(round(spec.low), round(spec.high), n, endpoint=True)
    else:
        counts = np.rint(draw_floats(spec, n, rng)).astype(np.int64)
    return np.maximum(counts, least)


def mean(spec: Distribution) -> float:
    """The mean of `draw_floats`."""
    match spec:
        case Constant():
            return spec.value
        case Uniform():
            return (spec.low + spec.high) / 2
        case Exponential() | Gamma():
            return spec.mean
        case Lognormal():
            return _lognormal_mean(spec)
        case Empirical():
            return float(np.average(spec.values, weights=spec.weights))


def greatest(spec: Distribution) -> float | None:
    """The greatest value that can be drawn, None where there is no bound."""
    match spec:
        case Constant():
            return spec.value
        case Uniform() | Lognormal():
            return spec.high
        case Empirical():
            return max(spec.values)
        case Exponential() | Gamma():
            return None


def _lognormal_mean(spec: Lognormal) -> float:
    """E[min(X, h)] = median exp(s^2 / 2) Phi(z - s) + h Phi(-z) with z = ln(h / median) / s."""
    if spec.sigma == 0:
        return min(spec.median, spec.high or MOST)
    high = spec.high or MOST
    z = log(high / spec.median) / spec.sigma
    below = spec.median * exp(spec.sigma**2 / 2) * _normal_cdf(z - spec.sigma)
    return below + high * _normal_cdf(-z)


def _normal_cdf(z: float) -> float:
    return (1 + erf(z / sqrt(2))) / 2
