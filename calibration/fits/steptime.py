"""fit_steptime: StepTime from measured engine steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fits.linear import Array, check_determined, intervals, resamples, solve
from calibration.probes.samples import StepPoint
from simcore.profile.steptime import StepTime
from simcore.step import Step

NAMES = ("constant", "token", "decode", "prefill", "context", "attention")
KNEES = (0, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Candidates for ``floor / token``: tokens below which reading the weights costs more than computing."""


@dataclass(frozen=True, slots=True)
class StepFit:
    """The fitted form and the 95% interval of each of its coefficients."""

    step_time: StepTime
    intervals: dict[str, tuple[float, float]]


def fit_step_time(points: Sequence[StepPoint], capture_sizes: tuple[int, ...] = ()) -> StepFit:
    """Fit `StepTime` to points, by relative error.

    With ``max(floor, token * n) = token * max(knee, n)`` the form is linear for a given knee, so the best
    of a list of knees is taken. Raises `calibration.errors.Underdetermined`.
    """
    steps, seconds = [point.step for point in points], np.array([point.seconds for point in points])
    designs = {knee: features(steps, knee, capture_sizes) for knee in KNEES}
    check_determined(NAMES, designs[0], seconds)
    knee, solution = _best(designs, seconds)
    draws = [_floored(*_best(designs, seconds, rows)) for rows in resamples(len(points))]
    best = _floored(knee, solution)
    names = (*NAMES, "floor")
    return StepFit(
        StepTime(**dict(zip(names, best.tolist(), strict=True)), capture_sizes=capture_sizes),
        dict(zip(names, intervals(np.array(draws), best), strict=True)),
    )


def features(steps: Sequence[Step], knee: int, capture_sizes: tuple[int, ...] = ()) -> Array:
    """One row a step, one column for each of `NAMES`."""
    padding = StepTime(constant=0.0, token=1.0, capture_sizes=capture_sizes)
    return np.array(
        [
            (
                1.0,
                max(float(knee), padding.decode_base(s.decodes) if not s.prefills else s.tokens),
                s.decodes,
                s.prefills,
                s.decode_context,
                s.prefill_attention,
            )
            for s in steps
        ]
    )


def _best(
    designs: dict[int, Array], seconds: Array, rows: NDArray[np.int64] | slice = slice(None)
) -> tuple[int, Array]:
    solved = {knee: solve(design[rows], seconds[rows]) for knee, design in designs.items()}
    knee = min(solved, key=lambda knee: solved[knee][1])
    return knee, solved[knee][0]


def _floored(knee: int, solution: Array) -> Array:
    """The coefficients of `NAMES` followed by ``floor``."""
    return np.append(solution, knee * solution[NAMES.index("token")])
