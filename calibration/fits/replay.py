"""fit_replay: parameters found by fitting the simulator's own predictions to what was observed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import t

from calibration.errors import Underdetermined
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
    """Values by name, their 95% intervals within the allowed range, and the errors that remain."""

    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    errors: Array


def fit_replay(parameters: Sequence[Parameter], errors: Errors, max_evaluations: int = 20) -> Replayed:
    """The values that minimise the sum of squares of ``errors``, which runs simulations.

    A trust-region search within bounds on the logarithms (`scipy.optimize.least_squares`) of at most
    ``max_evaluations`` steps, each of one simulation more than there are parameters. Intervals come from
    the Jacobian's covariance scaled by the residual variance. A parameter that matters too little for a
    slope to say how far it may go (one near zero, say) is moved alone until the errors object. Raises
    `Underdetermined`, naming the parameters, where the covariance is (near) singular or an interval is the
    whole allowed range.
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
    noise = float(t.ppf(0.975, freedom)) * float(np.sqrt(remaining @ remaining / freedom))
    jacobian = np.asarray(found.jac)
    clear = np.linalg.norm(jacobian, axis=0) * FAINT > noise
    half = noise * _deviations(problem.names[clear], jacobian[:, clear])
    intervals = np.array(bounds)
    intervals[:, clear] = np.clip([at[clear] - half, at[clear] + half], *(end[clear] for end in bounds))
    for i in np.flatnonzero(~clear):
        intervals[:, i] = [problem.reach(at, int(i), end[i], noise**2) for end in bounds]
    if free := problem.names[np.all(intervals == bounds, axis=0)].tolist():
        raise Underdetermined(f"the observations leave {', '.join(free)} anywhere in the allowed range")
    ends = zip(*np.exp(intervals).tolist(), strict=True)
    return Replayed(
        values=dict(zip(problem.names.tolist(), np.exp(at).tolist(), strict=True)),
        intervals=dict(zip(problem.names.tolist(), ends, strict=True)),
        errors=remaining,
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


def _deviations(names: NDArray[np.str_], jacobian: Array) -> Array:
    """Standard deviations of the logarithms per unit of error; raises `Underdetermined`."""
    if not len(names):
        return np.empty(0)
    lengths = np.linalg.norm(jacobian, axis=0)
    _, strengths, directions = np.linalg.svd(jacobian / lengths, full_matrices=False)
    if strengths[-1] < WEAKEST * strengths[0]:
        culprits = names[np.abs(directions[-1]) > 0.3].tolist()
        raise Underdetermined(f"the observations cannot tell apart {', '.join(culprits)}")
    return np.asarray(np.linalg.norm(directions.T / strengths, axis=1) / lengths)
