"""The black-box fit to a server's benchmark results at a few rates, and its predictions at others.

What statistics of two rates cannot tell is the roofline's: reading the weights and the KV cache, attention,
and, as the centre of a prior, a prompt's token and the KV blocks. A step's constant, the cost of a sequence
in it and the API server's time are found by least squares on logarithms. Lengths and their order are drawn;
each draw has a fit of its own, with measurements and priors perturbed by their noise, so that all draws are
an ensemble (Bardsley, Solonen, Haario and Laine, Randomize-then-optimize, SIAM J. Sci. Comput. 36, 2014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import t

from calibration.derive.serving_benchmark import BenchmarkedServer, BenchmarkRun, Figures
from calibration.derive.serving_benchmark_replay import Lengths, drawn_lengths, session
from calibration.fits.linear import Array
from simcore.profile.base import Overheads
from simcore.profile.llm import EngineFacts, LLMProfile, StepTimeParameters

USED = ("mean", "p50", "p90")
NOISE = {"TTFT": 0.08, "TPOT": 0.02}
"""Relative standard deviation of a statistic of 200 requests, and of what the form misses."""
MOST = 3.0
"""Standard deviations past which an error counts by its logarithm: one figure does not decide all."""
WORTH = 5.0
"""By how much a fit without prefix cache must be better: ten on Akaike's criterion, as for a floor."""
STEP = 0.05
"""Finite difference in the logarithm."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is not fitted: seconds by the roofline, and the engine as it was started."""

    model: str
    steps: StepTimeParameters
    engine: EngineFacts


@dataclass(frozen=True, slots=True)
class Fitted:
    """Which rates are fitted, rising, and which are played before them, in that order, to fill the cache."""

    rates: Sequence[float]
    warm: Sequence[float]
    seed: int
    """Of the tool."""


@dataclass(frozen=True, slots=True)
class Prior:
    """A positive quantity about which ``centre`` is known to a factor of e to the ``spread``."""

    centre: float
    spread: float


def priors(server: BenchmarkedServer, known: Known, rates: Sequence[float]) -> dict[str, Prior]:
    """Of all that is fitted; seconds, but for the KV blocks.

    An idle server's step is its floor and its constant, and what a busy one takes beyond goes to sequences.
    On several GPUs the way of an all-reduce is not known: without peer access it goes through the host.
    """
    idle, busy = (server.at(rate)[0] for rate in (rates[0], rates[-1]))
    step = idle.figures["TPOT", "p50"]
    running = busy.rate * busy.output_tokens / busy.requests * busy.figures["TPOT", "p50"]
    beyond = max(busy.figures["TPOT", "p50"] - step, 0.02 * step)
    return {
        "constant": Prior(max(step - known.steps.floor, 0.05 * step), 1.0),
        "decode": Prior(0.5 * beyond / max(1.0, running), 1.0),
        "token": Prior(known.steps.token, 0.4 if server.gpus == 1 else 0.8),
        "request": Prior(6e-3, 0.7),
        "num_gpu_blocks": Prior(known.engine.num_gpu_blocks, 0.5),
    }


def profile_of(values: Mapping[str, float], known: Known) -> LLMProfile:
    """An unjudged profile of these values."""
    steps = {name: values[name] for name in ("constant", "decode", "token")}
    blocks = {"num_gpu_blocks": max(2, round(values["num_gpu_blocks"]))}
    return LLMProfile(
        model=known.model,
        step_time=known.steps.model_copy(update=steps),
        engine=known.engine.model_copy(update=blocks),
        overheads=Overheads(request=values["request"]),
        batch_range=(0.0, 0.0),
        context_range=(0.0, 0.0),
        chunk_range=(0.0, 0.0),
        fit={},
    )


def usable(run: BenchmarkRun, busier: BenchmarkRun | None) -> list[tuple[str, str]]:
    """The statistics to fit: all, but where a lower rate has the longer TTFT only its median TPOT.

    No queue is longer for fewer arrivals, so what made it so is no part of the engine.
    """
    if busier and run.figures["TTFT", "mean"] > 1.5 * busier.figures["TTFT", "mean"]:
        return [("TPOT", "p50")]
    return [(metric, name) for metric in NOISE for name in USED]


@dataclass(frozen=True, slots=True)
class Member:
    """One draw of lengths, the profile that fits with it, and half its sum of squares."""

    lengths: Lengths
    profile: LLMProfile
    cost: float


def fit_ensemble(server: BenchmarkedServer, known: Known, load: Fitted, members: int) -> list[Member]:
    """The server's ensemble; its prefix cache is on, as by default, unless the fit is clearly better off."""
    off = replace(known, engine=known.engine.model_copy(update={"enable_prefix_caching": False}))
    by_default, without = (fit_member(server, engine, load, 0) for engine in (known, off))
    chosen, first = (off, without) if without.cost + WORTH < by_default.cost else (known, by_default)
    return [first, *(fit_member(server, chosen, load, number) for number in range(1, members))]


def fit_member(server: BenchmarkedServer, known: Known, load: Fitted, number: int) -> Member:
    """Member ``number`` of the ensemble; number 0 is not perturbed."""
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

    start = np.log([*centres.values()])
    found = least_squares(errors, start, diff_step=STEP / np.abs(start), xtol=1e-2, ftol=1e-3, max_nfev=12)
    values = dict(zip(prior, np.exp(found.x).tolist(), strict=True))
    return Member(lengths, profile_of(values, known), float(found.cost))


def softened(errors: Array) -> Array:
    """Small errors as they are, large ones by their logarithm, with a slope everywhere."""
    return np.sign(errors) * MOST * np.log1p(np.abs(errors) / MOST)


def _asked(server: BenchmarkedServer, rates: Sequence[float]) -> dict[tuple[float, str, str], float]:
    found: dict[tuple[float, str, str], float] = {}
    for rate, higher in zip(rates, [*rates[1:], None], strict=True):
        run = server.at(rate)[0]
        for metric, name in usable(run, server.at(higher)[0] if higher else None):
            found[rate, metric, name] = run.figures[metric, name]
    return found


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
