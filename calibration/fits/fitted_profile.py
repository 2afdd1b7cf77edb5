"""fitted_profile: a fitted step time as the fields of a profile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TypedDict

from calibration.fits.steptime import COEFFICIENTS
from calibration.probes.samples import StepPoint
from simcore.profile.correction import Correction
from simcore.profile.llm import StepCorrection, StepTimeParameters, Table
from simcore.profile.points import StepRow
from simcore.profile.steptime import StepTime


class Ranges(TypedDict):
    """The ranges of an LLMProfile."""

    batch_range: tuple[float, float]
    context_range: tuple[float, float]
    chunk_range: tuple[float, float]


def parameters(form: StepTime) -> StepTimeParameters:
    """The form's coefficients."""
    return StepTimeParameters(**{name: getattr(form, name) for name in COEFFICIENTS})


def tables(form: StepTime) -> StepCorrection:
    """The form's residual tables."""
    return StepCorrection(
        decode=_table(form.decode_correction),
        prefill=_table(form.prefill_correction),
        mixed=_table(form.mixed_correction),
    )


def ranges(points: Sequence[StepPoint]) -> Ranges:
    """What the points that were fitted span."""
    steps = [point.step for point in points if not point.held_out]
    return Ranges(
        batch_range=ends(step.batch for step in steps),
        context_range=ends(step.decode_context / step.decodes for step in steps if step.decodes),
        chunk_range=ends(step.prefill_tokens for step in steps if step.prefills),
    )


def ends(values: Iterable[float]) -> tuple[float, float]:
    """Least and greatest."""
    found = list(values)
    return float(min(found)), float(max(found))


def step_row(point: StepPoint) -> StepRow:
    """A measured step as a profile keeps it."""
    step = asdict(point.step) | {"prefill_attention": rounded(point.step.prefill_attention)}
    return StepRow(**step, seconds=rounded(point.seconds), held_out=point.held_out)


def rounded(value: float) -> float:
    """To five significant digits, finer than any timing repeats."""
    return float(f"{value:.5g}")


def _table(correction: Correction) -> Table:
    return Table(at=list(correction.at), factor=list(correction.factor))
