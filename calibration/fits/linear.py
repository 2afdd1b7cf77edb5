"""fit: non-negative least squares on relative error, with intervals, or a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from calibration.errors import Underdetermined

Array = NDArray[np.float64]

RESAMPLES = 200
WEAKEST = 1e-3
"""Least singular value of the scaled design, relative to the greatest, that still determines a fit."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Coefficients by name, their 95% intervals, and the sum of squared relative errors."""

    coefficients: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    loss: float


def fit_linear(names: Sequence[str], features: Array, seconds: Array) -> Fitted:
    """Coefficients c >= 0 that minimise the sum of ``(features @ c / seconds - 1)^2``.

    ``features`` has one row a point and one column a name, in the features' own units; ``seconds`` must be
    positive. Intervals are percentiles of a bootstrap over points. Raises `Underdetermined`.
    """
    check_determined(names, features, seconds)
    solution, loss = solve(features, seconds)
    draws = [solve(features[rows], seconds[rows])[0] for rows in resamples(len(seconds))]
    return Fitted(
        coefficients=dict(zip(names, solution.tolist(), strict=True)),
        intervals=dict(zip(names, intervals(np.array(draws), solution), strict=True)),
        loss=loss,
    )


def solve(features: Array, seconds: Array) -> tuple[Array, float]:
    """The coefficients and the sum of squared relative errors; columns are scaled for the solver's sake."""
    relative = features / seconds[:, None]
    scale = np.linalg.norm(relative, axis=0)
    scale[scale == 0.0] = 1.0
    solution, distance = nnls(relative / scale, np.ones(len(seconds)))
    return solution / scale, float(distance) ** 2


def resamples(count: int, times: int = RESAMPLES) -> NDArray[np.int64]:
    """Row numbers of bootstrap samples, the same ones every time, shape (times, count)."""
    return np.random.default_rng(0).integers(0, count, size=(times, count))


def intervals(draws: Array, best: Array) -> list[tuple[float, float]]:
    """95% percentile intervals of the columns of ``draws``, each widened to hold the estimate itself."""
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    return list(zip(np.minimum(low, best).tolist(), np.maximum(high, best).tolist(), strict=True))


def check_determined(names: Sequence[str], features: Array, seconds: Array) -> None:
    """Raise `Underdetermined`, naming the culprits, unless the points tell all coefficients apart."""
    if len(seconds) < 2 * len(names):
        raise Underdetermined(
            f"{len(seconds)} points cannot determine {len(names)} coefficients, only {2 * len(names)} can"
        )
    relative = features / seconds[:, None]
    lengths = np.linalg.norm(relative, axis=0)
    if missing := [name for name, length in zip(names, lengths, strict=True) if length == 0.0]:
        raise Underdetermined(f"no point has any work for {', '.join(missing)}")
    _, strengths, directions = np.linalg.svd(relative / lengths, full_matrices=False)
    if strengths[-1] < WEAKEST * strengths[0]:
        culprits = [name for name, part in zip(names, directions[-1], strict=True) if abs(part) > 0.3]
        raise Underdetermined(f"the points cannot tell apart {', '.join(culprits)}; vary them independently")
