"""fit_engine_time: the GPU's and the engine thread's time of a step, from bare and from served steps at once.

A bare engine that is driven by hand does one thing after the other, a server's overlaps them; both are the
same GPU and the same thread. So one set of coefficients is fitted to both: to bare steps one by one, and to
the sums of stretches of served steps, which no error in telling steps apart can move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from calibration.errors import Underdetermined
from calibration.fits.linear import WEAKEST, Array, resamples
from calibration.fits.pipeline import Times, stretch_seconds
from calibration.fits.served_steps import ServedSteps
from calibration.probes.samples import StepPoint
from simcore.profile.hosttime import HostTime
from simcore.profile.steptime import StepTime
from simcore.step import Step

GPU = ("constant", "floor", "token", "decode", "prefill", "context", "attention")
HOST = ("graph", "piecewise", "eager", "request", "prepare", "update")
NAMES = (*GPU, *HOST)
START = np.array(
    [3e-4, 5e-3, 2e-5, 5e-6, 5e-5, 5e-8, 7e-10, 3e-3, 1e-2, 2.5e-2, 3e-5, 2e-3, 3e-4], dtype=np.float64
)
"""Seconds, of an 8B model on one GPU; the search, in logarithms, ends within a factor of a thousand."""
REACH = np.log(1000.0)
STRETCH = 20
WEIGHT = 4.0
"""Of the relative error of a stretch beside that of a bare step, which times four times fewer things."""
OUTLIER = 0.1
"""Relative error, weighted, past which a point counts less than by its square (scipy's ``soft_l1``)."""
FAINT = 1e-3
"""A coefficient whose share of no step's time is more than this is taken to be nothing."""
NUDGE = 0.01
"""Step of a finite difference, in the logarithm."""
MEMBERS = 20
MARGIN = 1.2
"""Times the GPU's own time after which it must be done with a step."""


@dataclass(frozen=True, slots=True)
class EngineTime:
    """The fit, and as many others, from resampled measurements, as show how far it is determined.

    ``draws`` has a row a member and a column for each of `NAMES`; ``absent`` are coefficients that the
    measurements show nothing of, which are 0.
    """

    step_time: StepTime
    host_time: HostTime
    draws: Array
    absent: tuple[str, ...]

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """What the middle 95% of ``draws`` span, each with the fit's own value in it."""
        low, high = np.percentile(self.draws, [2.5, 97.5], axis=0)
        best = values(self.step_time, self.host_time)
        return {
            name: (min(float(a), value), max(float(b), value))
            for name, a, b, value in zip(NAMES, low, high, best, strict=True)
        }


def values(gpu: StepTime, host: HostTime) -> list[float]:
    """The coefficients in the order of `NAMES`."""
    return [getattr(gpu, name) for name in GPU] + [getattr(host, name) for name in HOST]


def fit_engine_time(
    points: Sequence[StepPoint],
    served: Sequence[ServedSteps],
    capture_sizes: tuple[int, ...],
    members: int = MEMBERS,
) -> EngineTime:
    """Fit both to bare steps ``points`` and to what a server with asynchronous scheduling logged.

    Raises `calibration.errors.Underdetermined`, naming the coefficients, where the measurements cannot tell
    them apart.
    """
    problem = _Problem(points, served, capture_sizes)
    best = problem.solve(np.log(START), problem.everything())
    problem.check_determined(best)
    coefficients, absent = problem.clear(np.exp(best))
    draws = [np.exp(problem.solve(best, rows, 8)) for rows in problem.resampled(members)]
    draws = [np.where(coefficients == 0.0, 0.0, draw) for draw in draws]
    gpu, host = made(coefficients, capture_sizes)
    return EngineTime(gpu, host, np.array(draws), absent)


def made(coefficients: Array, capture_sizes: tuple[int, ...]) -> tuple[StepTime, HostTime]:
    """The two forms with coefficients in the order of `NAMES`."""
    value = dict(zip(NAMES, coefficients.tolist(), strict=True))
    gpu = StepTime(**{name: value[name] for name in GPU}, capture_sizes=capture_sizes)
    host = HostTime(**{name: value[name] for name in HOST}, largest_graph=max(capture_sizes, default=0))
    return gpu, host


def judged_stretches(
    served: Sequence[ServedSteps], gpu: StepTime, host: HostTime, length: int = STRETCH
) -> Array:
    """Relative errors of the sums of all stretches of ``length`` steps."""
    problem = _Problem([], served, gpu.capture_sizes, length)
    return problem.stretch_errors(np.array(values(gpu, host)), problem.everything())


class _Features:
    """What the times of steps are made of: one row a step."""

    def __init__(self, steps: Sequence[Step], capture_sizes: tuple[int, ...]) -> None:
        padding = StepTime(constant=0.0, capture_sizes=capture_sizes)
        largest = max(capture_sizes, default=0)
        whole = HostTime(0.0, 0.0, 0.0, largest_graph=largest)
        self.padded = np.array(
            [s.tokens if s.prefills else padding.padded(s.decodes) for s in steps], dtype=np.float64
        )
        self.counts = np.array(
            [(1.0, s.decodes, s.prefills, s.decode_context, s.prefill_attention) for s in steps]
        ).reshape(-1, 5)
        self.batch = np.array([s.batch for s in steps], dtype=np.float64)
        self.one_graph = np.array([whole.one_graph(s) for s in steps], dtype=np.bool_)
        self.eager = np.array([s.tokens > largest for s in steps], dtype=np.bool_)

    def times(self, coefficients: Array) -> Times:
        """Seconds of every step, by coefficients in the order of `NAMES`."""
        constant, floor, token, decode, prefill, context, attention = coefficients[:7]
        graph, piecewise, eager, request, prepare, update = coefficients[7:]
        linear = self.counts @ np.array([constant, decode, prefill, context, attention])
        launch = (
            np.where(self.eager, eager, np.where(self.one_graph, graph, piecewise)) + request * self.batch
        )
        first = np.where(self.one_graph, launch, np.minimum(launch, prepare + request * self.batch))
        gpu = linear + np.maximum(floor, token * self.padded)
        return Times(gpu, launch, first, self.one_graph, float(update))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Which bare points and which stretches count, some perhaps more than once."""

    points: NDArray[Any]
    stretches: list[NDArray[Any]]


class _Problem:
    """Residuals of the least-squares fit as a function of the logarithms of the coefficients."""

    def __init__(
        self,
        points: Sequence[StepPoint],
        served: Sequence[ServedSteps],
        capture_sizes: tuple[int, ...],
        length: int = STRETCH,
    ) -> None:
        self._bare = _Features([point.step for point in points], capture_sizes)
        self._seconds = np.array([point.seconds for point in points])
        self._served = [(one, _Features(one.steps, capture_sizes), one.stretches(length)) for one in served]

    def everything(self) -> _Rows:
        """Each point and stretch once."""
        return _Rows(np.ones(len(self._seconds)), [np.ones(len(found)) for _, _, found in self._served])

    def resampled(self, times: int) -> list[_Rows]:
        """Bootstrap samples: how often each point and stretch is drawn."""
        sizes = [len(self._seconds), *(len(found) for _, _, found in self._served)]
        drawn = [[np.bincount(rows, minlength=size) for rows in resamples(size, times)] for size in sizes]
        return [_Rows(drawn[0][i], [one[i] for one in drawn[1:]]) for i in range(times)]

    def solve(self, start: Array, rows: _Rows, most: int = 60) -> Array:
        """The logarithms that fit the rows best, from ``start`` in at most ``most`` steps."""
        bounds = np.log(START) - REACH, np.log(START) + REACH

        def residuals(logs: Array) -> Array:
            return self._residuals(np.exp(logs), rows)

        found = least_squares(
            residuals,
            start,
            bounds=bounds,
            loss="soft_l1",
            f_scale=OUTLIER,
            max_nfev=most,
        )
        return np.asarray(found.x)

    def stretch_errors(self, coefficients: Array, rows: _Rows) -> Array:
        """Relative errors of the sums, each times the root of how often it counts."""
        found = []
        for (served, features, stretches), counts in zip(self._served, rows.stretches, strict=True):
            times = features.times(coefficients)
            for (first, past), count in zip(stretches, counts, strict=True):
                if count:
                    predicted = stretch_seconds(served, times, first, past)
                    found.append(np.sqrt(count) * (predicted / served.seconds(first, past) - 1.0))
        return np.array(found)

    def check_determined(self, logs: Array) -> None:
        """Raise `Underdetermined` unless the points tell the coefficients that they show apart."""
        rows = self.everything()
        base = self._residuals(np.exp(logs), rows)
        moved = [self._residuals(np.exp(logs + NUDGE * unit), rows) for unit in np.eye(len(logs))]
        columns = (np.array(moved) - base).T / NUDGE
        lengths = np.linalg.norm(columns, axis=0)
        seen = lengths > FAINT * lengths.max()
        _, strengths, directions = np.linalg.svd(columns[:, seen] / lengths[seen], full_matrices=False)
        if strengths[-1] < WEAKEST * strengths[0]:
            names = np.array(NAMES)[seen]
            culprits = names[np.abs(directions[-1]) > 0.3].tolist()
            raise Underdetermined(f"the measured steps cannot tell apart {', '.join(culprits)}")

    def clear(self, coefficients: Array) -> tuple[Array, tuple[str, ...]]:
        """The coefficients with 0 for those that no step shows anything of, and these by name."""
        base = self._residuals(coefficients, self.everything())
        cleared, absent = coefficients.copy(), []
        for index, name in enumerate(NAMES):
            without = coefficients.copy()
            without[index] = 0.0
            if np.abs(self._residuals(without, self.everything()) - base).max(initial=0.0) < FAINT:
                cleared[index] = 0.0
                absent.append(name)
        return cleared, tuple(absent)

    def _residuals(self, coefficients: Array, rows: _Rows) -> Array:
        return np.concatenate(
            [self._bare_errors(coefficients, rows.points), WEIGHT * self.stretch_errors(coefficients, rows)]
        )

    def _bare_errors(self, coefficients: Array, counts: NDArray[Any]) -> Array:
        times = self._bare.times(coefficients)
        whole = np.maximum(times.launch, times.first_kernel + times.gpu) + times.update
        return np.asarray(np.sqrt(counts) * (whole / self._seconds - 1.0))


def launch_ratios(served: Sequence[ServedSteps], gpu: StepTime, host: HostTime) -> list[float]:
    """Measured over fitted seconds of launches that are not one graph, where these kept a result waiting.

    Between the decision on such a step and the update before it lies the launch alone, if the GPU was done
    with the step before by then.
    """
    found = []
    for one in served:
        for i in range(2, len(one.steps)):
            step, before = one.steps[i], one.steps[i - 1]
            if host.one_graph(step) or not host.one_graph(before) or not host.one_graph(one.steps[i - 2]):
                continue
            waited = float(one.updated[i - 1] - one.scheduled[i]) - host.update
            if one.scheduled[i] < one.updated[i - 1] and waited > MARGIN * gpu(before):
                found.append(waited / host.launch(step))
    return found


def gpu_ratios(served: Sequence[ServedSteps], gpu: StepTime, host: HostTime) -> list[float]:
    """Measured over fitted periods of steps among others that only decode, where the GPU sets the pace."""
    found = []
    for one in served:
        whole = [i for i, _ in one.stretches(1)]
        for i in whole:
            near = one.steps[max(0, i - 3) : i + 2]
            if all(host.one_graph(step) for step in near):
                period = host.period(one.steps[i], gpu(one.steps[i]))
                found.append(one.seconds(i, i + 1) / period)
    return found


def bias_by_kind(points: Sequence[StepPoint], gpu: StepTime, host: HostTime) -> dict[str, float]:
    """Median relative error of bare steps by kind, signed."""
    errors: dict[str, list[float]] = {}
    for point in points:
        whole = host.alone(point.step, gpu(point.step))
        errors.setdefault(point.kind, []).append(whole / point.seconds - 1.0)
    return {kind: median(found) for kind, found in sorted(errors.items())}
