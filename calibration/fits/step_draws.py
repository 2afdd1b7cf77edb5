"""step_draws: step times that measured engine steps allow as well as the fitted ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from calibration.fits.correction import KINDS, corrected, fit_table
from calibration.fits.ensemble import alternatives
from calibration.fits.steptime import best_form, features
from calibration.probes.samples import StepPoint
from simcore.profile.correction import NONE
from simcore.profile.steptime import StepTime


def step_draws(points: Sequence[StepPoint], fit: StepTime) -> list[StepTime]:
    """Fits to what might have been measured, steps of one scene sharing an error, with ``fit``'s tables anew.

    ``fit`` is that of the points.
    """
    steps = [point.step for point in points]
    knee = round(fit.floor / fit.token) if fit.token else 0
    seconds = alternatives(
        features(steps, knee, fit.capture_sizes),
        np.array([fit(step) for step in steps]),
        np.array([point.seconds for point in points]),
        [point.scene for point in points],
    )
    return [
        _refitted([replace(p, seconds=s) for p, s in zip(points, row, strict=True)], fit)
        for row in seconds.tolist()
    ]


def _refitted(points: Sequence[StepPoint], fit: StepTime) -> StepTime:
    form = best_form(points, fit.capture_sizes)
    kinds = [kind for kind in KINDS if getattr(fit, f"{kind}_correction") != NONE]
    return corrected(form, {kind: fit_table([p for p in points if p.kind == kind], form) for kind in kinds})
