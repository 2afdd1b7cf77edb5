"""fit_steptime: StepTime from measured engine steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fits.correction import corrected, worthwhile_tables
from calibration.fits.linear import Array, check_determined, intervals, resamples, solve
from calibration.probes.samples import StepPoint
from simcore.profile.steptime import StepTime
from simcore.step import Step

NAMES = ("constant", "token", "decode", "prefill", "context", "attention")
COEFFICIENTS = (*NAMES, "floor")
KNEES = (0, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Candidates for ``floor / token``: tokens below which reading the weights costs more than computing."""


@dataclass(frozen=True, slots=True)
class StepFit:
    """The fitted form with its residual tables, and the 95% interval of each of its coefficients."""

    step_time: StepTime
    intervals: dict[str, tuple[float, float]]


def fit_step_time(points: Sequence[StepPoint], capture_sizes: tuple[int, ...] = ()) -> StepFit:
    """Fit `StepTime` to points, by relative error, and those residual tables that cross-validation keeps.

    With ``max(floor, token * n) = token * max(knee, n)`` the form is linear for a given knee, so the best
    of a list of knees is taken. Raises `calibration.errors.Underdetermined`.
    """
    form, bounds = fit_form(points, capture_sizes)
    tables = worthwhile_tables(points, form, lambda some: best_form(some, capture_sizes))
    return StepFit(corrected(form, tables), bounds)


def best_form(points: Sequence[StepPoint], capture_sizes: tuple[int, ...] = ()) -> StepTime:
    """The form alone, of the best of the knees; points that do not determine it give some of the best."""
    return _form(_floored(*_best(_Designs(points, capture_sizes))), capture_sizes)


def fit_form(
    points: Sequence[StepPoint], capture_sizes: tuple[int, ...] = ()
) -> tuple[StepTime, dict[str, tuple[float, float]]]:
    """The form alone, and its coefficients' intervals: percentiles of a bootstrap over points."""
    designs = _Designs(points, capture_sizes)
    check_determined(NAMES, designs.by_knee[0], designs.seconds)
    best = _floored(*_best(designs))
    draws = [_floored(*_best(designs, rows)) for rows in resamples(len(points))]
    bounds = dict(zip(COEFFICIENTS, intervals(np.array(draws), best), strict=True))
    return _form(best, capture_sizes), bounds


class _Designs:
    """The points as a linear problem, one for each knee."""

    def __init__(self, points: Sequence[StepPoint], capture_sizes: tuple[int, ...]) -> None:
        steps = [point.step for point in points]
        self.seconds = np.array([point.seconds for point in points])
        self.by_knee = {knee: features(steps, knee, capture_sizes) for knee in KNEES}


def _form(best: Array, capture_sizes: tuple[int, ...]) -> StepTime:
    return StepTime(**dict(zip(COEFFICIENTS, best.tolist(), strict=True)), capture_sizes=capture_sizes)


def features(steps: Sequence[Step], knee: int, capture_sizes: tuple[int, ...] = ()) -> Array:
    """One row a step, one column for each of `NAMES`."""
    padding = StepTime(constant=0.0, capture_sizes=capture_sizes)
    return np.array(
        [
            (
                1.0,
                max(float(knee), padding.padded(s.decodes) if not s.prefills else s.tokens),
                s.decodes,
                s.prefills,
                s.decode_context,
                s.prefill_attention,
            )
            for s in steps
        ]
    )


def _best(designs: _Designs, rows: NDArray[np.int64] | slice = slice(None)) -> tuple[int, Array]:
    solved = {knee: solve(d[rows], designs.seconds[rows]) for knee, d in designs.by_knee.items()}
    knee = min(solved, key=lambda knee: solved[knee][1])
    return knee, solved[knee][0]


def _floored(knee: int, solution: Array) -> Array:
    """The `COEFFICIENTS`."""
    return np.append(solution, knee * solution[NAMES.index("token")])
