"""llm_part: the LLM part of a profile from everything that a campaign measured of it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from calibration.backends.engine_settings import server_settings
from calibration.campaign import Campaign
from calibration.compose.shape import ModelShape
from calibration.fits.ensemble import Own
from calibration.fits.fitted_profile import parameters, ranges, step_row, tables
from calibration.fits.judge import judge_steps, residual_quantiles
from calibration.fits.overheads import StepExtra, fit_overheads, fit_step_extra
from calibration.fits.step_draws import step_draws
from calibration.fits.steptime import StepFit, fit_step_time
from calibration.probes.engine import GROUP
from calibration.probes.frontend import GROUP as FRONTEND
from calibration.probes.samples import StepPoint, step_points
from simcore.profile.llm import EngineFacts, LLMProfile, StepTimeParameters
from simcore.profile.steptime import StepTime


def llm_part(campaign: Campaign, shape: ModelShape, said: dict[str, Any]) -> tuple[LLMProfile, list[str]]:
    """The profile, and what it must say in words; ``said`` is the engine's own answer.

    Raises `calibration.errors.Underdetermined`.
    """
    engine = EngineFacts.model_validate(said["facts"])
    points, fit = _fit(campaign, engine)
    served = campaign.records(FRONTEND)
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
        overheads=fit_overheads(served),
        fit=judge_steps(fit.step_time, points),
        points=[step_row(point) for point in points],
        server_step=(
            served_time.constant - fit.step_time.constant,
            served_time.decode - fit.step_time.decode,
        ),
        **ranges(points),
    )
    return profile, [_extra_note(extra), "weights are dummies: step times do not depend on their values"]


def llm_own(campaign: Campaign, said: dict[str, Any]) -> list[Own]:
    """What draws from the fits that the points allow say of this part; each has the server's share anew."""
    points, fit = _fit(campaign, EngineFacts.model_validate(said["facts"]))
    served = campaign.records(FRONTEND)
    draws = step_draws([point for point in points if not point.held_out], fit.step_time)
    return [
        {
            "step_time": _in_server(draw, fit_step_extra(served, draw)).model_dump(),
            "correction": tables(draw).model_dump(),
        }
        for draw in draws
    ]


def _fit(campaign: Campaign, engine: EngineFacts) -> tuple[list[StepPoint], StepFit]:
    points = step_points(campaign.records(GROUP), campaign.device)
    fitted = [point for point in points if not point.held_out]
    return points, fit_step_time(fitted, tuple(engine.cudagraph_capture_sizes))


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
