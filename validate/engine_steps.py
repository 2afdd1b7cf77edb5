"""engine_steps: how far a profile's step times are from those of the engine in the replays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calibration.probes.frontend import periods
from simcore.step import Step
from validate.compare.phenomena import EngineSteps, StepKind, Stretches
from validate.compare.wording import labelled, ms, percent
from validate.pace import Pace, Steps

Timed = NDArray[np.float64]
KINDS: tuple[Literal["prefill", "decode", "mixed"], ...] = ("prefill", "decode", "mixed")


STRETCH = 20
"""Steps in a row whose sum is judged."""


class EngineLogs(NamedTuple):
    """One backend's paces and step logs, one a repetition as far as known, and its profile's step time."""

    paces: Sequence[Pace]
    logs: Sequence[Steps]
    form: Callable[[Step], float]


def all_engine_steps(
    variant: str, point: float | None, found: Mapping[str, EngineLogs]
) -> Iterator[EngineSteps]:
    """Of each backend by its name: means, kinds of step and stretches."""
    for backend, one in found.items():
        timed = [_timed(log, one.form) for log in one.logs]
        yield engine_steps(variant, point, backend, one.paces).model_copy(
            update={
                "kinds": list(_kinds(np.concatenate(timed))),
                "stretches": _stretches(timed, labelled(variant, point), backend),
            }
        )


def _timed(log: Steps, form: Callable[[Step], float]) -> Timed:
    """Rows of kind, seconds on the machine and seconds by the profile, of steps while the engine had work."""
    steps = [(Step(**step), seconds) for step, seconds in periods(log)]
    rows = [(KINDS.index(step.kind), seconds, form(step)) for step, seconds in steps]
    return np.array(rows, dtype=float).reshape(-1, 3)


def _kinds(timed: Timed) -> Iterator[StepKind]:
    for number, kind in enumerate(KINDS):
        rows = timed[timed[:, 0] == number]
        if len(rows):
            live, profile = 1e3 * rows[:, 1:].mean(axis=0)
            error = float(profile / live - 1.0)
            yield StepKind(
                kind=kind, steps=len(rows), live_ms=float(live), profile_ms=float(profile), error=error
            )


def _stretches(timed: Sequence[Timed], label: str, backend: str) -> Stretches | None:
    whole = [rows[: len(rows) // STRETCH * STRETCH, 1:] for rows in timed]
    sums = np.concatenate([rows.reshape(-1, STRETCH, 2).sum(axis=1) for rows in whole])
    if not len(sums):
        return None
    errors = np.abs(sums[:, 1] / sums[:, 0] - 1.0)
    median, tail = (float(value) for value in np.percentile(errors, (50, 90)))
    return Stretches(
        length=STRETCH,
        count=len(sums),
        median_error=median,
        p90_error=tail,
        sentence=(
            f"{STRETCH} steps in a row of {backend} with {label} are {percent(median)} (median) and "
            f"{percent(tail)} (90th percentile of {len(sums)}) off by the profile."
        ),
    )


def engine_steps(variant: str, point: float | None, backend: str, paces: Sequence[Pace]) -> EngineSteps:
    """Of one backend, from one pace a repetition: told, not judged."""
    live = [1e3 * pace.live / pace.steps for pace in paces]
    profile = [1e3 * pace.profile / pace.steps for pace in paces]
    error = sum(pace.profile for pace in paces) / sum(pace.live for pace in paces) - 1.0
    return EngineSteps(
        variant=variant,
        point=point,
        backend=backend,
        steps=[pace.steps for pace in paces],
        live_ms=live,
        profile_ms=profile,
        error=error,
        sentence=(
            f"A step of {backend} with {labelled(variant, point)} took {_span(live)} on the machine and "
            f"{_span(profile)} by the profile, {percent(abs(error))} {'less' if error < 0 else 'more'}."
        ),
    )


def _span(values: Sequence[float]) -> str:
    least, most = ms(min(values)), ms(max(values))
    return least if least == most else f"{least} to {most}"
