"""profile: the LLM part of a profile from composed steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from calibration.fits.fitted_profile import parameters, ranges, tables
from calibration.fits.judge import judge_steps
from calibration.fits.steptime import fit_step_time
from calibration.probes.samples import StepPoint
from simcore.profile.base import Overheads
from simcore.profile.llm import EngineFacts, LLMProfile


@dataclass(frozen=True, slots=True)
class Served:
    """The model, and how it is served."""

    model: str
    parameters_count: int
    tensor_parallel_size: int
    engine: EngineFacts
    overheads: Overheads = field(default_factory=Overheads)


def composed_llm(points: Sequence[StepPoint], served: Served) -> LLMProfile:
    """`StepTime` fitted to the points that are not held out, and judged on those that are.

    Composed steps have no spread, so the profile has no residuals. Raises `Underdetermined`.
    """
    fitted = [point for point in points if not point.held_out]
    fit = fit_step_time(fitted, tuple(served.engine.cudagraph_capture_sizes))
    return LLMProfile(
        model=served.model,
        parameters_count=served.parameters_count,
        tensor_parallel_size=served.tensor_parallel_size,
        step_time=parameters(fit.step_time),
        correction=tables(fit.step_time),
        intervals=fit.intervals,
        engine=served.engine,
        overheads=served.overheads,
        fit=judge_steps(fit.step_time, points),
        **ranges(points),
    )
