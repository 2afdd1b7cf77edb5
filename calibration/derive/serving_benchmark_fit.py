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
from scipy.optimize import least_squares
from scipy.stats import t

from calibration.derive.serving_benchmark import GAP, BenchmarkedServer, BenchmarkRun, Figures
from calibration.derive.serving_benchmark_form import Known, Prior, priors, profile_of, queues_behind
from calibration.derive.serving_benchmark_outlet import Outlet
from calibration.derive.serving_benchmark_replay import Lengths, Session, drawn_lengths, session
from calibration.fits.linear import Array
from simcore.profile.llm import LLMProfile

NAMES = ("mean", "p50", "p90")
NOISE = {
    **dict.fromkeys(product(("TTFT",), NAMES), 0.08),
    **dict.fromkeys(product(("TPOT",), NAMES), 0.02),
    GAP: 0.02,
}
"""What is fitted, with the relative standard deviation of a statistic of 200 requests, and of what the form
misses."""
PACE = {("TPOT", "mean"): 0.02}
"""What tells of the engine behind an outlet: what one request waits longer for, others wait less for."""
BEHIND = {**dict.fromkeys(product(("TTFT",), NAMES), 0.3), GAP: 0.1}
"""What tells of the outlet: two runs of it are 20 to 40% apart in TTFT."""
MOST = 3.0
"""Standard deviations past which an error counts by its logarithm: one figure does not decide all."""
STEP = 0.05
"""Finite difference in the logarithm."""
AWAY = 10.0
"""Where the search begins, away from 0: scipy's finite differences are in proportion to the place."""
OUTLETS = 8
"""Runs through the outlet that are averaged in a fit, and that a member predicts."""
PLACES = np.geomspace(0.4, 2.5, 38)
"""Means of the outlet that are tried, 5% apart: parts of an idle server's median gap between tokens."""


Noise = Mapping[tuple[str, str], float]
Target = Mapping[tuple[float, tuple[str, str]], float]
"""Logarithms of figures by rate, and metric and statistic."""
Play = Callable[[LLMProfile], Session]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Which rates are fitted, rising, and which are played before them, in that order, to fill the cache."""

    rates: Sequence[float]
    warm: Sequence[float]
    seed: int
    """Of the tool."""


@dataclass(frozen=True, slots=True)
class Member:
    """One draw of lengths, and what fits with it."""

    number: int
    lengths: Lengths
    values: Mapping[str, float]
    """By the names of `priors`."""
    profile: LLMProfile
    outlet: float | None
    """Mean of its `Outlet`, seconds, if it has one."""

    def figures(self, order: Sequence[float], seed: int) -> list[dict[float, Figures]]:
        """What it says of the rates in that order: once, or of several runs through its outlet."""
        played = session(self.profile, self.lengths, order, seed)
        if self.outlet is None:
            return [played.figures()]
        return [played.figures(Outlet(self.outlet, self.number * OUTLETS + i)) for i in range(OUTLETS)]


class Perturbation:
    """By how much a member's measurements and priors are off; number 0's are not."""

    def __init__(self, number: int) -> None:
        self._draw = np.random.default_rng([number, 1])
        self._scale = float(number > 0)

    def of(self, spread: float) -> float:
        """The logarithm of a factor."""
        return self._scale * spread * float(self._draw.standard_normal())


def fit_ensemble(server: BenchmarkedServer, known: Known, load: Fitted, members: int) -> list[Member]:
    """The server's ensemble; all but the first search from that one's values."""
    first = fit_member(server, known, load, 0)
    return [first, *(fit_member(server, known, load, n, first.values) for n in range(1, members))]


def fit_member(
    server: BenchmarkedServer,
    known: Known,
    load: Fitted,
    number: int,
    start: Mapping[str, float] | None = None,
) -> Member:
    """Member ``number`` of the ensemble, searched for from ``start``, by default the priors' centres."""
    lengths = drawn_lengths(server, load.rates, load.seed, number)
    off = Perturbation(number)
    drawn = known.with_blocks(np.exp(off.of(known.blocks_spread)))
    prior = {
        name: Prior(one.centre * np.exp(off.of(one.spread)), one.spread)
        for name, one in priors(server, known, load.rates).items()
    }
    runs = [server.at(rate)[0] for rate in load.rates]
    behind = queues_behind(runs[0], runs[-1])

    def play(profile: LLMProfile) -> Session:
        return session(profile, lengths, [*load.warm, *reversed(load.rates)], load.seed)

    noise = PACE if behind else NOISE
    values = _fit_engine(prior, drawn, (_targets(runs, noise, off), noise), play, start)
    profile = profile_of(values, drawn)
    outlet = _fit_outlet(play(profile), runs, off, number) if behind else None
    return Member(number, lengths, values, profile, outlet)


def _targets(runs: Sequence[BenchmarkRun], noise: Noise, off: Perturbation) -> Target:
    return {
        (run.rate, key): float(np.log(run.figures[key])) + off.of(spread)
        for run, (key, spread) in product(runs, noise.items())
    }


def _fit_engine(
    prior: Mapping[str, Prior],
    known: Known,
    data: tuple[Target, Noise],
    play: Play,
    start: Mapping[str, float] | None,
) -> dict[str, float]:
    """Values by least squares, in logarithms."""
    centres = np.log([one.centre for one in prior.values()])
    spreads = np.array([one.spread for one in prior.values()])

    def values(place: Array) -> dict[str, float]:
        return dict(zip(prior, np.exp(centres + place - AWAY).tolist(), strict=True))

    def errors(place: Array) -> Array:
        said = play(profile_of(values(place), known)).figures()
        return np.array([*misses(said, *data), *((place - AWAY) / spreads)])

    begin = np.full(len(centres), AWAY)
    if start is not None:
        begin += np.log([start[name] for name in prior]) - centres
    apart = np.full(len(centres), STEP / AWAY)
    found = least_squares(errors, begin, diff_step=apart, xtol=1e-3, ftol=1e-2, max_nfev=12)
    return values(found.x)


def _fit_outlet(played: Session, runs: Sequence[BenchmarkRun], off: Perturbation, number: int) -> float:
    """The mean of `PLACES` behind which the engine's runs are most like those that were measured."""
    target = _targets(runs, BEHIND, off)
    means = PLACES * runs[0].figures[GAP]

    def cost(mean: float) -> float:
        return float(np.sum(misses(played.figures(Outlet(mean, number, OUTLETS)), target, BEHIND) ** 2))

    return float(min(means.tolist(), key=cost))


def misses(said: Mapping[float, Figures], target: Target, noise: Noise) -> Array:
    """How far logarithms of figures are from their targets, in standard deviations, softened."""
    return softened(
        np.array([(np.log(said[rate][key]) - at) / noise[key] for (rate, key), at in target.items()])
    )


def softened(errors: Array) -> Array:
    """Small errors as they are, large ones by their logarithm, with a slope everywhere."""
    return np.sign(errors) * MOST * np.log1p(np.abs(errors) / MOST)


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
