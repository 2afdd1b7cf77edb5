"""served_part: the LLM part of a profile of a GPU, from a bare engine and from a server at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from calibration.compose.shape import ModelShape
from calibration.fits.enginetime import (
    GPU,
    HOST,
    MEMBERS,
    STRETCH,
    EngineTime,
    bias_by_kind,
    fit_engine_time,
    gpu_ratios,
    judged_stretches,
    launch_ratios,
    made,
)
from calibration.fits.ensemble import Own
from calibration.fits.fitted_profile import parameters, ranges, step_row
from calibration.fits.form_error import NO_ERROR, FormError
from calibration.fits.frontend import FrontEndFit, ServerRun, fit_frontend
from calibration.fits.held_out import engine_error, longer, server_error
from calibration.fits.judge import around_one, judge_steps, residual_quantiles, summed_up
from calibration.fits.matching import Sent, match_requests
from calibration.fits.served_steps import ServedSteps, served_steps
from calibration.probes.samples import StepPoint
from simcore.profile.base import FitQuality
from simcore.profile.hosttime import HostTimeParameters
from simcore.profile.llm import EngineFacts, LLMProfile

ABOUT_AS_GOOD = 1.5
"""Losses relative to the least up to which fits of the API server are taken to be equally good."""
BIASED = 0.03
"""Median signed error of a kind of step from which on the profile says so."""


def served_part(
    shape: ModelShape,
    engine: EngineFacts,
    points: Sequence[StepPoint],
    served: Sequence[ServedSteps],
    waves: Sequence[ServerRun],
    loads: Sequence[ServerRun],
    writes_at_once: bool,
) -> tuple[LLMProfile, list[str], list[Own]]:
    """The profile, what it must say in words, and what equally good fits say of it.

    ``points`` are steps of the bare engine, ``served`` the server's own, ``waves`` and ``loads`` what its API
    server was seen to do with requests at once and with those of clients that come and go, and
    ``writes_at_once`` whether it sends what it writes before the end of a turn. Raises
    `calibration.errors.Underdetermined`.
    """
    seen, sizes = [point for point in points if not point.held_out], tuple(engine.cudagraph_capture_sizes)
    fit = fit_engine_time(seen, served, sizes)
    fronts = fit_frontend(runs := [*waves, *loads], writes_at_once)
    errors = {
        "sums of steps of loads left out": engine_error(seen, served, waves, sizes, fit),
        "costs of the API server, by kinds of fitted runs": server_error(runs, fronts[0]),
    }
    profile = _fitted_llm(shape, engine, points, served, fit, fronts[0])
    notes = [error.said(of) for of, error in errors.items() if error]
    own = _served_own(fit, fronts, engine, list(_factors(*errors.values())))
    return profile, [*_served_notes(fit, points), *notes], own


def _fitted_llm(
    shape: ModelShape,
    engine: EngineFacts,
    points: Sequence[StepPoint],
    served: Sequence[ServedSteps],
    fit: EngineTime,
    front: FrontEndFit,
) -> LLMProfile:
    """The profile of an engine's and an API server's fits."""
    gpu, host = fit.step_time, fit.host_time
    return LLMProfile(
        model=shape.name,
        parameters_count=shape.parameters,
        step_time=parameters(gpu),
        host_time=HostTimeParameters(
            **{name: getattr(host, name) for name in HOST},
            residuals=residual_quantiles([(1.0, launch_ratios(served, gpu, host))]),
        ),
        residuals=around_one(gpu_ratios(served, gpu, host)),
        intervals={_named(name): bounds for name, bounds in fit.intervals.items()},
        engine=engine,
        overheads=front.overheads,
        frontend=front.costs,
        fit=_quality(fit, points, served, front),
        points=[step_row(point) for point in points],
        **ranges(points),
    )


def _factors(*errors: FormError | None) -> Iterator[tuple[float, ...]]:
    """A member each: factors of the engine and of the API server, 1 where nothing tells how far it is off."""
    every = (error or NO_ERROR for error in errors)
    return zip(*(error.factors(seed, MEMBERS) for seed, error in enumerate(every)), strict=True)


def _served_own(
    fit: EngineTime,
    fronts: Sequence[FrontEndFit],
    engine: EngineFacts,
    factors: Sequence[tuple[float, ...]],
) -> list[Own]:
    """What equally good fits say of the LLM's part: the engine's draws and the API server's fits in turn.

    Each is off by a pair of ``factors``, as loads that a fit did not see are.
    """
    good = [front for front in fronts if front.loss <= ABOUT_AS_GOOD * fronts[0].loss]
    sizes = tuple(engine.cudagraph_capture_sizes)
    found: list[Own] = []
    for number, (draw, (pace, server)) in enumerate(zip(fit.draws, factors, strict=True)):
        gpu, host = made(draw * pace, sizes)
        costs, delays = longer(good[number % len(good)], server)
        found.append(
            {
                "step_time": parameters(gpu).model_dump(),
                "host_time": {name: getattr(host, name) for name in HOST},
                "frontend": costs.model_dump(),
                "overheads": delays.model_dump(),
            }
        )
    return found


def server_run(record: dict[str, Any], kind: str) -> ServerRun | None:
    """A campaign's wave or load as a run of the API server; None where its steps cannot be told apart."""
    log = served_steps(record["steps"])
    sent = [
        Sent(one["sent"], one["prompt_tokens"], one["output_tokens"], one["first"], one["last"])
        for one in record["streams"]
    ]
    matched, doubtful = match_requests(log.steps, sent)
    return None if doubtful or not matched else ServerRun(kind, log, matched)


def wave_runs(records: Iterable[dict[str, Any]]) -> list[ServerRun]:
    """Those of waves of requests, by their width."""
    found = [server_run(record, f"waves of {record['width']}") for record in records if "width" in record]
    return [run for run in found if run is not None]


def load_runs(records: Iterable[dict[str, Any]]) -> list[ServerRun]:
    """Those of designed loads, by their name; loads whose prompts were cut into chunks are left out."""
    found = [server_run(record, record["load"]) for record in records]
    return [run for run in found if run is not None]


def _quality(
    fit: EngineTime, points: Sequence[StepPoint], served: Sequence[ServedSteps], front: FrontEndFit
) -> dict[str, FitQuality]:
    """Of bare steps by kind, of sums of served steps, and of what passed the API server."""
    gpu, host = fit.step_time, fit.host_time
    stretches = judged_stretches(served, gpu, host)
    quality = judge_steps(lambda step: host.alone(step, gpu(step)), points)
    quality[f"sums of {STRETCH} served steps"] = summed_up(stretches, len(stretches), 0)
    for kind, error in front.errors.items():
        quality[f"API server, {kind}"] = summed_up(np.array([error]), 1, 0)
    return quality


def _served_notes(fit: EngineTime, points: Sequence[StepPoint]) -> list[str]:
    """What a profile must say of its engine's fit in words."""
    notes = ["weights are dummies: step times do not depend on their values"]
    if fit.absent:
        notes.append(f"no measured step shows anything of {', '.join(map(_named, fit.absent))}, taken as 0")
    for kind, bias in bias_by_kind(points, fit.step_time, fit.host_time).items():
        if abs(bias) > BIASED:
            notes.append(f"{kind} steps of the bare engine are fitted {bias:+.1%} off in the median")
    return notes


def _named(name: str) -> str:
    return name if name in GPU else f"host_time.{name}"
