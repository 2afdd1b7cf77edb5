"""held_out: how far the fits of an engine and of an API server are off loads, left out where that goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from scipy.optimize import brentq

from calibration.errors import Underdetermined
from calibration.fits.enginetime import EngineTime, fit_engine_time, judged_stretches
from calibration.fits.form_error import FormError, form_error
from calibration.fits.frontend import (
    FrontEndFit,
    Latencies,
    ServerRun,
    bracket,
    measured,
    moved,
    predicted,
)
from calibration.fits.served_steps import ServedSteps
from calibration.probes.samples import StepPoint
from simcore.profile.base import Overheads
from simcore.profile.frontend import FrontEndCosts
from simcore.profile.slowed import TIMES

T = TypeVar("T")

FOLDS = 5
"""Most fits that are made without some loads: more loads are left out together."""
EXACT = 3e-3
"""To which a deviation is found, in the logarithm."""
MOST = 1.5
"""Logarithm of the factor within which the costs are sought that explain a kind of run."""
CLOCK = 0.3
"""Where between what causality allows the log's clock is taken to be."""


def engine_error(
    points: Sequence[StepPoint],
    served: Sequence[ServedSteps],
    waves: Sequence[ServerRun],
    capture_sizes: tuple[int, ...],
    fit: EngineTime,
) -> FormError | None:
    """Of sums of steps: of each load by the fit without it, of each kind of wave by ``fit``, which saw none.

    A load without which the steps determine no fit does not count. None where no load's steps can be judged.
    """
    found = []
    for others, left_out in folds(served):
        try:
            without = fit_engine_time(points, others, capture_sizes, members=0)
        except Underdetermined:
            continue
        found += [_of_sums([one], without) for one in left_out]
    by_kind: dict[str, list[ServedSteps]] = {}
    for run in waves:
        by_kind.setdefault(run.kind, []).append(run.served)
    found += [_of_sums(logs, fit) for logs in by_kind.values()]
    known = [one for one in found if not np.isnan(one)]
    return form_error(known) if known else None


def server_error(runs: Sequence[ServerRun], fit: FrontEndFit) -> FormError | None:
    """Of the API server's costs: by which factor the fit misses what the mean wait of each kind of run says.

    None with a single kind. No kind is left out: each tells a cost that the others leave open, so that being
    off without it is no error of the form.
    """
    kinds: dict[str, list[ServerRun]] = {}
    for run in runs:
        kinds.setdefault(run.kind, []).append(run)
    return form_error([_of_costs(kind, fit) for kind in kinds.values()]) if len(kinds) > 1 else None


def folds(loads: Sequence[T], most: int = FOLDS) -> Iterator[tuple[list[T], list[T]]]:
    """The others and those left out: each load once, in at most ``most`` folds."""
    count = min(most, len(loads))
    for fold in range(count):
        yield (
            [one for i, one in enumerate(loads) if i % count != fold],
            [one for i, one in enumerate(loads) if i % count == fold],
        )


def _of_sums(logs: Sequence[ServedSteps], fit: EngineTime) -> float:
    """The logarithm of foretold over measured seconds, on average over all stretches; NaN without any."""
    errors = judged_stretches(logs, fit.step_time, fit.host_time)
    return float(np.log1p(errors.mean())) if errors.size else float("nan")


def _of_costs(runs: Sequence[ServerRun], fit: FrontEndFit) -> float:
    """The logarithm of the fitted over those costs with which the runs' mean wait comes out as measured.

    A wait is until the engine decides on a request, and from its first result to the client: how far the two
    clocks are apart is not in it.
    """
    on_one_clock = [run if run.aligned else moved(run, _late(run)) for run in runs]
    wait = _mean_wait([measured(run) for run in on_one_clock])

    def excess(log: float) -> float:
        times = longer(fit, float(np.exp(log)))
        return float(np.log(_mean_wait([predicted(run, *times) for run in on_one_clock]) / wait))

    low, high = excess(-MOST), excess(MOST)
    if low >= 0 or high <= 0:
        return MOST if low >= 0 else -MOST
    return -float(brentq(excess, -MOST, MOST, xtol=EXACT))


def _mean_wait(found: Sequence[Latencies]) -> float:
    return float(np.mean(np.concatenate([one.entering + one.first for one in found])))


def _late(run: ServerRun) -> float:
    low, high = bracket(run)
    return low + CLOCK * (high - low)


def longer(fit: FrontEndFit, factor: float) -> tuple[FrontEndCosts, Overheads]:
    """The costs and the delays beside them, so many times as long."""
    costs, delays = fit.costs, fit.overheads
    return (
        costs.model_copy(update={name: factor * getattr(costs, name) for name in TIMES[FrontEndCosts]}),
        delays.model_copy(update={name: factor * getattr(delays, name) for name in TIMES[Overheads]}),
    )
