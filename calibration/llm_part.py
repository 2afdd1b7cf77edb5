"""llm_part: the LLM part of a profile from everything that a campaign measured of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from calibration.backends.engine_settings import server_settings
from calibration.campaign import LEFT_OUT, Campaign
from calibration.compose.shape import ModelShape
from calibration.errors import Underdetermined
from calibration.fits.ensemble import Own
from calibration.fits.fitted_profile import parameters, ranges, step_row, tables
from calibration.fits.judge import judge_steps, residual_quantiles
from calibration.fits.overheads import StepExtra, fit_overheads, fit_step_extra
from calibration.fits.served_points import served_points
from calibration.fits.served_steps import served_steps
from calibration.fits.step_draws import step_draws
from calibration.fits.steptime import StepFit, fit_step_time
from calibration.machine import writes_at_once
from calibration.probes.engine import GROUP
from calibration.probes.frontend import GROUP as FRONTEND
from calibration.probes.frontend import waves_of
from calibration.probes.samples import StepPoint, step_points
from calibration.probes.served import GROUP as SERVED
from calibration.served_part import load_runs, served_part, wave_runs
from simcore.profile.base import Overheads
from simcore.profile.llm import EngineFacts, LLMProfile, StepTimeParameters
from simcore.profile.steptime import StepTime

DUMMIES = "weights are dummies: step times do not depend on their values"
Part = tuple[LLMProfile, list[str], list[Own]]
"""The profile, what it must say in words, and what draws from its fits say of it."""


def llm_part(campaign: Campaign, shape: ModelShape, said: dict[str, Any]) -> Part:
    """The LLM part of a campaign; ``said`` is the engine's own answer.

    On a GPU, whose thread and device work at once, both are fitted to the bare engine and to the server
    together. On a CPU the steps are the server's own, as far as it was measured. Raises
    `calibration.errors.Underdetermined`.
    """
    engine = EngineFacts.model_validate(said["facts"])
    waves = waves_of(campaign)
    if campaign.device == "gpu" and waves and campaign.records(SERVED):
        return _on_gpu(campaign, shape, _served(engine, campaign))
    steps = _steps(campaign, engine)
    form = steps.fit.step_time
    profile = LLMProfile(
        model=shape.name,
        parameters_count=shape.parameters,
        step_time=_in_server(form, steps.extra),
        correction=tables(form),
        residuals=residual_quantiles((form(p.step), p.samples) for p in steps.points),
        intervals=_shifted(steps.fit.intervals, steps.extra),
        engine=_served(engine, campaign),
        overheads=fit_overheads(waves) if waves else Overheads(),
        fit=judge_steps(form, steps.points),
        points=[step_row(point) for point in steps.points],
        server_step=_added(form, steps.extra),
        **ranges(steps.points),
    )
    notes = [] if waves else [f"{LEFT_OUT}what a server adds: overheads are nothing"]
    return profile, [*notes, *steps.notes, DUMMIES], _own(steps)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Points, their fit, and what a server's steps last beyond it."""

    points: list[StepPoint]
    fit: StepFit
    extra: StepExtra
    notes: list[str]


def _steps(campaign: Campaign, engine: EngineFacts) -> _Steps:
    """The server's own steps where its loads determine a fit, else the bare engine's and the difference."""
    sizes = tuple(engine.cudagraph_capture_sizes)
    if served := served_points(campaign.records(SERVED)):
        try:
            fit = fit_step_time([point for point in served if not point.held_out], sizes)
        except Underdetermined as error:
            why = f"the server's own steps alone do not do: {error}"
        else:
            note = "steps are the server's own, under designed loads; every fourth load is held out"
            return _Steps(served, fit, StepExtra(0.0, 0.0), [note])
    else:
        why = "the server was sent no designed loads"
    points = step_points(campaign.records(GROUP), campaign.device)
    fit = fit_step_time([point for point in points if not point.held_out], sizes)
    extra = fit_step_extra(waves_of(campaign), fit.step_time)
    return _Steps(points, fit, extra, [_extra_note(extra), why])


def _on_gpu(campaign: Campaign, shape: ModelShape, engine: EngineFacts) -> Part:
    points = [p for p in step_points(campaign.records(GROUP), campaign.device) if p.step.batch]
    loads = [*campaign.records(SERVED), *(r for r in campaign.records(FRONTEND) if "load" in r)]
    logs = [served_steps(record["steps"]) for record in loads if record["steps"]]
    waves = wave_runs(waves_of(campaign))
    return served_part(shape, engine, points, logs, waves, load_runs(loads), writes_at_once())


def _own(steps: _Steps) -> list[Own]:
    """What draws from the fits that the points allow say; each has the server's share as the fit has it."""
    draws = step_draws([point for point in steps.points if not point.held_out], steps.fit.step_time)
    return [
        {
            "step_time": _in_server(draw, steps.extra).model_dump(),
            "correction": tables(draw).model_dump(),
        }
        for draw in draws
    ]


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


def _added(form: StepTime, extra: StepExtra) -> tuple[float, float]:
    served = _in_server(form, extra)
    return served.constant - form.constant, served.decode - form.decode


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
