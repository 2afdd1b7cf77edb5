"""fit_replay: parameters found by fitting the simulator's own predictions to what was observed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import t

from calibration.errors import Underdetermined
from calibration.fits.ensemble import SIZE
from calibration.fits.linear import WEAKEST, Array

STEP = 0.03
"""Finite-difference step in the logarithm: a simulation is not smooth, so less would see its jumps only."""
FAINT = 1.0
"""Half-width in the logarithm, of a parameter alone, past which its interval is found by trying values."""
HALVINGS = 6
"""Bisections for either end of such an interval."""

Errors = Callable[[dict[str, float]], Array]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A positive quantity to be found between ``low`` and ``high``, searched for from ``start``."""

    name: str
    start: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.start <= self.high or self.low == self.high:
            raise ValueError(f"{self.name}: 0 < low <= start <= high and low < high must hold")


@dataclass(frozen=True, slots=True)
class Replayed:
    """Values by name, their 95% intervals within the allowed range, and the errors that remain.

    ``draws`` are values that the observations allow as well.
    """

    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    errors: Array
    draws: list[dict[str, float]]


def fit_replay(parameters: Sequence[Parameter], errors: Errors, max_evaluations: int = 20) -> Replayed:
    """The values that minimise the sum of squares of ``errors``, which runs simulations.

    A trust-region search within bounds on the logarithms (`scipy.optimize.least_squares`) of at most
    ``max_evaluations`` steps, each of one simulation more than there are parameters. Intervals come from
    the Jacobian's covariance scaled by the residual variance. A parameter that matters too little for a
    slope to say how far it may go (one near zero, say) is moved alone until the errors object. Raises
    `Underdetermined`, naming the parameters, where the covariance is (near) singular or an interval is the
    whole allowed range. Draws are normal with that covariance, and of a parameter moved alone uniform within
    its interval, on the logarithms.
    """
    problem = _Problem(parameters, errors)
    bounds = problem.bounds
    found = least_squares(
        problem.errors,
        problem.start,
        problem.jacobian,
        bounds=bounds,
        x_scale="jac",
        ftol=1e-4,
        xtol=1e-3,
        max_nfev=max_evaluations,
    )
    at, remaining = found.x, found.fun
    freedom = len(remaining) - len(at)
    if freedom < 1:
        raise Underdetermined(f"{len(remaining)} errors cannot determine {len(at)} parameters")
    deviation = float(np.sqrt(remaining @ remaining / freedom))
    noise = float(t.ppf(0.975, freedom)) * deviation
    jacobian = np.asarray(found.jac)
    clear = np.linalg.norm(jacobian, axis=0) * FAINT > noise
    root = _root(problem.names[clear], jacobian[:, clear])
    half = noise * np.linalg.norm(root, axis=1)
    intervals = np.array(bounds)
    intervals[:, clear] = np.clip([at[clear] - half, at[clear] + half], *(end[clear] for end in bounds))
    for i in np.flatnonzero(~clear):
        intervals[:, i] = [problem.reach(at, int(i), end[i], noise**2) for end in bounds]
    if free := problem.names[np.all(intervals == bounds, axis=0)].tolist():
        raise Underdetermined(f"the observations leave {', '.join(free)} anywhere in the allowed range")
    ends = zip(*np.exp(intervals).tolist(), strict=True)
    rng, (low, high) = np.random.default_rng(0), intervals
    logs = low + (high - low) * rng.random((SIZE, len(at)))
    logs[:, clear] = at[clear] + deviation * rng.standard_normal((SIZE, len(root))) @ root.T
    drawn = np.exp(np.clip(logs, *bounds)).tolist()
    return Replayed(
        values=dict(zip(problem.names.tolist(), np.exp(at).tolist(), strict=True)),
        intervals=dict(zip(problem.names.tolist(), ends, strict=True)),
        errors=remaining,
        draws=[dict(zip(problem.names.tolist(), row, strict=True)) for row in drawn],
    )


class _Problem:
    """The errors and their Jacobian as functions of the logarithms."""

    def __init__(self, parameters: Sequence[Parameter], errors: Errors) -> None:
        self.names = np.array([p.name for p in parameters])
        self.start = np.log([p.start for p in parameters])
        self.bounds = np.log([p.low for p in parameters]), np.log([p.high for p in parameters])
        self._errors = errors
        self._last: tuple[bytes, Array] = b"", np.empty(0)

    def errors(self, logs: Array) -> Array:
        """The errors there; asked again for the same place, they are not simulated again."""
        if self._last[0] != (key := logs.tobytes()):
            self._last = key, self._at(logs)
        return self._last[1]

    def jacobian(self, logs: Array) -> Array:
        """One-sided differences of the errors, shape (errors, parameters), never across a bound."""
        here = self.errors(logs)
        steps = np.where(logs + STEP <= self.bounds[1], STEP, -STEP)
        moved = [self._at(logs + step * unit) for step, unit in zip(steps, np.eye(len(logs)), strict=True)]
        return (np.array(moved) - here).T / steps

    def reach(self, logs: Array, i: int, end: float, rise: float) -> float:
        """How far parameter ``i`` can go towards ``end`` before the sum of squares has risen by ``rise``."""
        limit = float(np.sum(self.errors(logs) ** 2)) + rise

        def borne(value: float) -> bool:
            return float(np.sum(self._at(np.where(np.arange(len(logs)) == i, value, logs)) ** 2)) <= limit

        if borne(end):
            return end
        inside, outside = float(logs[i]), end
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if borne(middle) else (inside, middle)
        return outside

    def _at(self, logs: Array) -> Array:
        return self._errors(dict(zip(self.names.tolist(), np.exp(logs).tolist(), strict=True)))


def _root(names: NDArray[np.str_], jacobian: Array) -> Array:
    """A root of the logarithms' covariance per unit of error: R with R R' = (J' J)^-1.

    Raises `Underdetermined`.
    """
    if not len(names):
        return np.empty((0, 0))
    lengths = np.linalg.norm(jacobian, axis=0)
    _, strengths, directions = np.linalg.svd(jacobian / lengths, full_matrices=False)
    if strengths[-1] < WEAKEST * strengths[0]:
        culprits = names[np.abs(directions[-1]) > 0.3].tolist()
        raise Underdetermined(f"the observations cannot tell apart {', '.join(culprits)}")
    return np.asarray(directions.T / strengths / lengths[:, None])
