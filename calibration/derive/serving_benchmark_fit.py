"""The black-box fit to a server's benchmark results at a few rates, and its predictions at others.

What statistics of two rates cannot tell is the roofline's: reading the weights and the KV cache, attention,
and, as the centre of a prior, a prompt's token and the KV blocks. A step's constant, the cost of a sequence
in it and the API server's time are found by least squares on logarithms. Lengths and their order are drawn;
each draw has a fit of its own, with measurements and priors perturbed by their noise, so that all draws are
an ensemble (Bardsley, Solonen, Haario and Laine, Randomize-then-optimize, SIAM J. Sci. Comput. 36, 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import OptimizeResult, least_squares
from scipy.stats import t

from calibration.derive.serving_benchmark import GAP, BenchmarkedServer, BenchmarkRun, Figures
from calibration.derive.serving_benchmark_form import Known, priors, profile_of
from calibration.derive.serving_benchmark_replay import Lengths, drawn_lengths, session
from calibration.fits.linear import Array
from simcore.profile.llm import LLMProfile

USED = ("mean", "p50", "p90")
NOISE = {"TTFT": 0.08, "TPOT": 0.02, "ITL": 0.02}
"""Relative standard deviation of a statistic of 200 requests, and of what the form misses."""
MOST = 3.0
"""Standard deviations past which an error counts by its logarithm: one figure does not decide all."""
WAITS = 1.5
"""How many times the TTFT under load an idle server's must be to be of something else than a queue."""
ROOM = (1.0, 0.45)
"""Of the KV blocks to search from."""
STEP = 0.05
"""Finite difference in the logarithm."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Which rates are fitted, rising, and which are played before them, in that order, to fill the cache."""

    rates: Sequence[float]
    warm: Sequence[float]
    seed: int
    """Of the tool."""


def usable(idle: BenchmarkRun, run: BenchmarkRun, busiest: BenchmarkRun) -> list[tuple[str, str]]:
    """The statistics of ``run`` to fit, of a server whose least and most loaded runs are the other two.

    All; but no queue is longer for fewer arrivals, so where the idle server has the longer TTFT something
    else than the engine makes its clients wait: there TPOTs are fitted, and of TTFTs the busiest run's
    median, as the API server's time.
    """
    paces: list[tuple[str, str]] = [*product(("TPOT",), USED), GAP]
    if idle.figures["TTFT", "mean"] <= WAITS * busiest.figures["TTFT", "mean"]:
        return [*product(("TTFT",), USED), *paces]
    return [("TPOT", "p50"), GAP] if run is idle else [("TTFT", "p50"), *paces]


@dataclass(frozen=True, slots=True)
class Member:
    """One draw of lengths, the profile that fits with it, and half its sum of squares."""

    lengths: Lengths
    profile: LLMProfile
    cost: float


def fit_ensemble(server: BenchmarkedServer, known: Known, load: Fitted, members: int) -> list[Member]:
    """The server's ensemble; all but the first search from that one's KV blocks."""
    first = fit_member(server, known, load, 0)
    room = first.profile.engine.num_gpu_blocks / known.engine.num_gpu_blocks
    return [first, *(fit_member(server, known, load, number, room) for number in range(1, members))]


def fit_member(
    server: BenchmarkedServer, known: Known, load: Fitted, number: int, room: float | None = None
) -> Member:
    """Member ``number`` of the ensemble; number 0 is not perturbed.

    ``room`` is the share of the KV blocks to search from; by default all of `ROOM` are tried.
    """
    rates, seed = load.rates, load.seed
    lengths = drawn_lengths(server, rates, seed, number)
    noise = np.random.default_rng([number, 1])
    scale = float(number > 0)
    prior = priors(server, known, rates)
    centres = {k: p.centre * np.exp(scale * p.spread * noise.standard_normal()) for k, p in prior.items()}
    asked = _asked(server, rates)
    measured = {key: np.log(x) + scale * NOISE[key[1]] * noise.standard_normal() for key, x in asked.items()}
    order = [*load.warm, *reversed(rates)]

    def errors(logs: Array) -> Array:
        values = dict(zip(prior, np.exp(logs).tolist(), strict=True))
        said = session(profile_of(values, known), lengths, order, seed)
        data = [
            (np.log(said[rate][metric, name]) - target) / NOISE[metric]
            for (rate, metric, name), target in measured.items()
        ]
        held = [np.log(values[k] / centres[k]) / p.spread for k, p in prior.items()]
        return np.array([*softened(np.array(data)), *held])

    searches = (_search(errors, centres, share) for share in (ROOM if room is None else (room,)))
    found = min(searches, key=lambda search: float(search.cost))
    values = dict(zip(prior, np.exp(found.x).tolist(), strict=True))
    return Member(lengths, profile_of(values, known), float(found.cost))


def _search(errors: Callable[[Array], Array], centres: Mapping[str, float], share: float) -> OptimizeResult:
    """From the centres, but with that share of the KV blocks: where they never run short is no slope."""
    start = np.log([*centres.values()]) + np.log(share) * np.array([k == "num_gpu_blocks" for k in centres])
    return least_squares(errors, start, diff_step=STEP / np.abs(start), xtol=1e-2, ftol=1e-3, max_nfev=12)


def softened(errors: Array) -> Array:
    """Small errors as they are, large ones by their logarithm, with a slope everywhere."""
    return np.sign(errors) * MOST * np.log1p(np.abs(errors) / MOST)


def _asked(server: BenchmarkedServer, rates: Sequence[float]) -> dict[tuple[float, str, str], float]:
    runs = [server.at(rate)[0] for rate in rates]
    return {
        (run.rate, metric, name): run.figures[metric, name]
        for run in runs
        for metric, name in usable(runs[0], run, runs[-1])
    }


@dataclass(frozen=True, slots=True)
class Predicted:
    """The middle of an ensemble, and the interval that holds one more run with 95%."""

    value: float
    interval: tuple[float, float]


def predicted(said: Sequence[Figures]) -> dict[tuple[str, str], Predicted]:
    """From the members' figures: the median, and Student's interval on the logarithm."""
    found: dict[tuple[str, str], Predicted] = {}
    for key in said[0]:
        logs = np.log([figures[key] for figures in said])
        half = float(t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) * np.sqrt(1 + 1 / len(logs)))
        middle, low, high = np.exp([np.median(logs), logs.mean() - half, logs.mean() + half]).tolist()
        found[key] = Predicted(middle, (low, high))
    return found
