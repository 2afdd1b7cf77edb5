"""judge: how far a fitted form is from points it never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np

from calibration.fits.linear import Array
from calibration.probes.samples import EmbedPoint, StepPoint
from simcore.profile.base import FitQuality
from simcore.profile.embedtime import EmbedTime
from simcore.step import Step


class Measured(Protocol):
    """A measured point: its seconds, and whether the fit must not see it."""

    @property
    def seconds(self) -> float: ...

    @property
    def held_out(self) -> bool: ...


P = TypeVar("P", bound=Measured)

KINDS = ("prefill", "decode", "mixed")
RESIDUAL_QUANTILES = 41


def judge_steps(form: Callable[[Step], float], points: Sequence[StepPoint]) -> dict[str, FitQuality]:
    """Relative errors on the held-out points by kind of step; kinds without held-out points are left out."""
    groups = {kind: [point for point in points if point.kind == kind] for kind in KINDS}
    return {k: quality(lambda p: form(p.step), group) for k, group in groups.items() if _unseen(group)}


def judge_batches(form: EmbedTime, points: Sequence[EmbedPoint]) -> dict[str, FitQuality]:
    """Relative errors on the held-out batches, as kind ``batch``."""
    return {"batch": quality(lambda p: form(p.texts), points)} if _unseen(points) else {}


def residual_quantiles(pairs: Iterable[tuple[float, Sequence[float]]]) -> list[float]:
    """`RESIDUAL_QUANTILES` evenly spaced quantiles of measured over fitted; a pair is (fitted, samples)."""
    ratios = np.concatenate([np.array(samples) / fitted for fitted, samples in pairs])
    return [float(q) for q in np.quantile(ratios, np.linspace(0.0, 1.0, RESIDUAL_QUANTILES))]


def around_one(ratios: Sequence[float]) -> list[float]:
    """Quantiles of ``ratios`` over their mean, as it is drawn: the fit of sums already has that in it.

    Quantiles are joined by straight lines, as `simcore.profile.residuals` draws from them.
    """
    quantiles = np.array(residual_quantiles([(1.0, ratios)]))
    drawn = float((quantiles[:-1] + quantiles[1:]).mean() / 2)
    return [float(q) for q in quantiles / drawn]


def quality(predict: Callable[[P], float], points: Sequence[P]) -> FitQuality:
    """Relative errors of ``predict`` on the held-out points, of which there must be one."""
    unseen = _unseen(points)
    errors = [predict(point) / point.seconds - 1.0 for point in unseen]
    return summed_up(errors, len(points) - len(unseen), len(unseen))


def summed_up(errors: Sequence[float] | Array, points: int, held_out: int) -> FitQuality:
    """The sizes of relative ``errors``; ``points`` were fitted, ``held_out`` not."""
    sizes = np.abs(errors)
    return FitQuality(
        points=points,
        held_out=held_out,
        median_abs_error=float(np.median(sizes)),
        p90_abs_error=float(np.quantile(sizes, 0.9)),
    )


def _unseen(points: Sequence[P]) -> list[P]:
    return [point for point in points if point.held_out]
