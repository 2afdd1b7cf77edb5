"""llm_part: the LLM part of a profile from everything that a campaign measured of it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from calibration.backends.engine_settings import server_settings
from calibration.campaign import LEFT_OUT, Campaign
from calibration.compose.shape import ModelShape
from calibration.fits.fitted_profile import parameters, ranges, rounded, tables
from calibration.fits.judge import judge_steps, residual_quantiles
from calibration.fits.overheads import StepExtra, fit_overheads, fit_step_extra
from calibration.fits.steptime import StepFit, fit_step_time
from calibration.probes.engine import GROUP
from calibration.probes.frontend import waves_of
from calibration.probes.samples import StepPoint, step_points
from simcore.profile.base import Overheads
from simcore.profile.llm import EngineFacts, LLMProfile, StepTimeParameters
from simcore.profile.points import StepRow
from simcore.profile.steptime import StepTime


def llm_part(campaign: Campaign, shape: ModelShape, said: dict[str, Any]) -> tuple[LLMProfile, list[str]]:
    """The profile, and what it must say in words; ``said`` is the engine's own answer.

    Raises `calibration.errors.Underdetermined`.
    """
    engine = EngineFacts.model_validate(said["facts"])
    points, fit = _fit(campaign, engine)
    served = waves_of(campaign)
    extra = fit_step_extra(served, fit.step_time)
    served_time = _in_server(fit.step_time, extra)
    profile = LLMProfile(
        model=shape.name,
        parameters_count=shape.parameters,
        step_time=served_time,
        correction=tables(fit.step_time),
        residuals=residual_quantiles((fit.step_time(p.step), p.samples) for p in points),
        intervals=_shifted(fit.intervals, extra),
        engine=_served(engine, campaign),
        overheads=fit_overheads(served) if served else Overheads(),
        fit=judge_steps(fit.step_time, points),
        points=[_row(point) for point in points],
        server_step=(
            served_time.constant - fit.step_time.constant,
            served_time.decode - fit.step_time.decode,
        ),
        **ranges(points),
    )
    note = _extra_note(extra) if served else f"{LEFT_OUT}what a server adds: overheads are nothing"
    return profile, [note, "weights are dummies: step times do not depend on their values"]


def _fit(campaign: Campaign, engine: EngineFacts) -> tuple[list[StepPoint], StepFit]:
    points = step_points(campaign.records(GROUP), campaign.device)
    fitted = [point for point in points if not point.held_out]
    return points, fit_step_time(fitted, tuple(engine.cudagraph_capture_sizes))


def _row(point: StepPoint) -> StepRow:
    step = asdict(point.step) | {"prefill_attention": rounded(point.step.prefill_attention)}
    return StepRow(**step, seconds=rounded(point.seconds), held_out=point.held_out)


def _served(engine: EngineFacts, campaign: Campaign) -> EngineFacts:
    """The engine as a server runs it, which schedules asynchronously where the engine in hand did not."""
    settings = server_settings(campaign.device, {})
    return engine.model_copy(update={"async_scheduling": bool(settings.get("async_scheduling"))})


def _in_server(form: StepTime, extra: StepExtra) -> StepTimeParameters:
    served = replace(
        form,
        constant=max(0.0, form.constant + extra.constant),
        decode=max(0.0, form.decode + extra.decode),
    )
    return parameters(served)


def _shifted(bounds: dict[str, tuple[float, float]], extra: StepExtra) -> dict[str, tuple[float, float]]:
    added = asdict(extra)
    return {
        name: (max(0.0, low + added.get(name, 0.0)), max(0.0, high + added.get(name, 0.0)))
        for name, (low, high) in bounds.items()
    }


def _extra_note(extra: StepExtra) -> str:
    return (
        f"constant and decode include {extra.constant * 1e3:.3f} ms a step and {extra.decode * 1e3:.4f} ms a "
        f"decoding request that a server's steps last beyond the bare engine's, which fit errors are of"
    )
