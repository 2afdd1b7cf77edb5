"""A queue behind the engine: the results of its steps, which leave one step after the other.

Each takes an exponential time, however many requests it is of. Where the engine's steps are shorter than
that, as they are at little load, results queue up until the engine is idle: TTFT falls as the load rises.
What it is cannot be told from outside. io.net's hosts of several RTX 4090 have it and those of H100 PCIe do
not, so it is the host's; a server on several GPUs keeps a core busy for each of its processes, which wait by
spinning (MessageQueue.acquire_read in vLLM's shm_broadcast.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from calibration.derive.serving_benchmark import GAP, Figures, statistics
from calibration.fits.linear import Array
from simcore.profile.steptime import StepTime
from simcore.request import Request
from simcore.step import Step


@dataclass(frozen=True, slots=True)
class Outlet:
    """Seconds that a step's results take on average, exponentially distributed.

    ``draws`` runs of it are averaged, drawn by ``seed``.
    """

    mean: float
    seed: int
    draws: int = 1

    def figures(self, answered: Sequence[Request], steps: EngineSteps) -> Figures:
        """By metric and statistic, as clients behind the outlet see requests that these steps answered."""
        first, last = (
            np.searchsorted(steps.ends, [getattr(r, name) for r in answered]).clip(max=len(steps.ends) - 1)
            for name in ("first_token", "finished")
        )
        draw = np.random.default_rng(self.seed)
        said = []
        for _ in range(self.draws):
            leaving = departures(steps, draw.exponential(self.mean, len(steps.ends)))
            said.append(_seen(answered, leaving[first], leaving[last]) | {GAP: _median_gap(steps, leaving)})
        return {key: float(np.mean([figures[key] for figures in said])) for key in said[0]}


@dataclass(frozen=True, slots=True)
class EngineSteps:
    """When steps end, seconds, with how many requests, and of each time that the engine is busy its steps."""

    ends: Array
    running: Array
    busy: Sequence[slice]


def engine_steps(answered: Sequence[Request], form: StepTime) -> EngineSteps:
    """The steps between a first or last token and the next: as long as the form says, evenly spread."""
    begins, lasts = (np.array([getattr(r, name) for r in answered]) for name in ("first_token", "finished"))
    context = float(np.mean([r.prompt_tokens + r.output_tokens / 2 for r in answered]))
    marks = np.unique([*begins, *lasts])
    running = np.searchsorted(np.sort(begins), marks, "right") - np.searchsorted(
        np.sort(lasts), marks, "right"
    )
    ends, sizes, starts = [marks[:1]], [running[:1]], [0]
    for (since, until), n in zip(pairwise(marks.tolist()), running.tolist(), strict=False):
        count = 1
        if n:
            length = form(Step(decodes=n, decode_context=int(n * context)))
            count = max(1, round((until - since) / length))
        else:
            starts.append(sum(map(len, ends)))
        ends.append(np.linspace(since, until, count + 1)[1:])
        sizes.append(np.full(count, max(1, n)))
    total = sum(map(len, ends))
    busy = [slice(a, b) for a, b in pairwise([*starts, total])]
    return EngineSteps(np.concatenate(ends), np.concatenate(sizes), busy)


def departures(steps: EngineSteps, service: Array) -> Array:
    """When each step's results are out: one after the other (Lindley), all once the engine is idle."""
    out = np.empty_like(steps.ends)
    for busy in steps.busy:
        ends, took = steps.ends[busy], service[busy]
        ahead = np.concatenate([[0.0], np.cumsum(took[:-1] - np.diff(ends))])
        out[busy] = np.minimum(ends + ahead - np.minimum.accumulate(ahead) + took, ends[-1])
    return out


def _seen(answered: Sequence[Request], first: Array, last: Array) -> Figures:
    sent = np.array([r.arrival for r in answered])
    more = np.array([r.output_tokens - 1 for r in answered])
    return statistics(first - sent, ((last - first) / np.maximum(more, 1))[more > 0])


def _median_gap(steps: EngineSteps, leaving: Array) -> float:
    """Of all gaps between tokens; tokens that leave at once have none."""
    gaps, weights = np.diff(leaving), steps.running[1:]
    order = np.argsort(gaps)
    order = order[gaps[order] > 0]
    share = np.cumsum(weights[order])
    return float(gaps[order][np.searchsorted(share, share[-1] / 2)])
