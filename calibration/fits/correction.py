"""correction: residual tables over a fitted form, kept only where they predict points left out of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from calibration.fits.linear import Array
from calibration.probes.samples import StepPoint
from simcore.profile.correction import NONE, Correction
from simcore.profile.steptime import StepTime

KINDS = ("prefill", "decode", "mixed")
MOST_KNOTS = 12
RIDGE = 0.3
"""Weight of "no correction" at each knot, in points."""
FOLDS = 5
WORTH = 0.9
"""A table must bring the mean error on left-out points down to this share of the form's own."""

Corrections = dict[str, Correction]


def corrected(form: StepTime, tables: Corrections) -> StepTime:
    """The form with its tables by kind of step."""
    return replace(
        form,
        decode_correction=tables.get("decode", NONE),
        prefill_correction=tables.get("prefill", NONE),
        mixed_correction=tables.get("mixed", NONE),
    )


def fit_table(points: Sequence[StepPoint], form: StepTime) -> Correction:
    """Factors over the points' own quantity: piecewise linear in it, by ridge regression of log ratios."""
    if not points:
        return NONE
    at = np.array([_quantity(point) for point in points])
    logs = np.array([np.log(point.seconds / form(point.step)) for point in points])
    knots = _knots(at)
    basis = np.array([np.interp(at, knots, row) for row in np.eye(len(knots))]).T
    factors = np.exp(np.linalg.solve(basis.T @ basis + RIDGE * np.eye(len(knots)), basis.T @ logs))
    return Correction(tuple(knots.tolist()), tuple(factors.tolist()))


def worthwhile_tables(
    points: Sequence[StepPoint], form: StepTime, refit: Callable[[Sequence[StepPoint]], StepTime]
) -> Corrections:
    """The tables of those kinds of step where cross-validation over scenes finds them worth having.

    ``refit`` fits the form to some of the points: a left-out scene is seen by neither form nor table. Fewer
    scenes than folds cannot be judged, and give no tables.
    """
    if len({point.scene for point in points}) < FOLDS:
        return {}
    plain: dict[str, list[float]] = {kind: [] for kind in KINDS}
    better: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for seen, unseen in _folds(points):
        fold_form = refit(seen)
        with_tables = corrected(fold_form, _tables(seen, fold_form))
        for point in unseen:
            plain[point.kind].append(abs(fold_form(point.step) / point.seconds - 1))
            better[point.kind].append(abs(with_tables(point.step) / point.seconds - 1))
    tables = _tables(points, form)
    return {kind: tables[kind] for kind in KINDS if sum(better[kind]) < WORTH * sum(plain[kind])}


def _tables(points: Sequence[StepPoint], form: StepTime) -> Corrections:
    return {kind: fit_table([p for p in points if p.kind == kind], form) for kind in KINDS}


def _folds(points: Sequence[StepPoint]) -> list[tuple[list[StepPoint], list[StepPoint]]]:
    scenes = sorted({point.scene for point in points})
    fold = {scene: i % FOLDS for i, scene in enumerate(np.random.default_rng(0).permutation(scenes))}
    return [
        ([p for p in points if fold[p.scene] != i], [p for p in points if fold[p.scene] == i])
        for i in range(FOLDS)
    ]


def _quantity(point: StepPoint) -> float:
    return float(point.step.decodes if point.kind == "decode" else point.step.tokens)


def _knots(at: Array) -> Array:
    """At most `MOST_KNOTS` of the values, evenly spaced in their logarithm."""
    values = np.unique(at)
    wanted = np.geomspace(values[0], values[-1], min(MOST_KNOTS, len(values)))
    return np.unique(values[np.abs(values[:, None] - wanted).argmin(axis=0)])
