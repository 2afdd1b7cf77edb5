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
from calibration.derive.serving_benchmark_replay import Lengths, drawn_lengths, session
from calibration.fits.linear import Array
from simcore.profile.base import Overheads
from simcore.profile.llm import EngineFacts, LLMProfile, StepCorrection, StepTimeParameters, Table

USED = ("mean", "p50", "p90")
NOISE = {"TTFT": 0.08, "TPOT": 0.02, "ITL": 0.02}
"""Relative standard deviation of a statistic of 200 requests, and of what the form misses."""
MOST = 3.0
"""Standard deviations past which an error counts by its logarithm: one figure does not decide all."""
HOST = 2e-3
"""Seconds of a step that vLLM's engine core computes while the GPU waits, without asynchronous scheduling."""
WAITS = 1.5
"""How many times the TTFT under load an idle server's must be to be of something else than a queue."""
BATCHES = (1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 1024)
ROOM = (1.0, 0.45)
"""Of the KV blocks to search from."""
STEP = 0.05
"""Finite difference in the logarithm."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is not fitted: seconds by the roofline, and the engine as it was started."""

    model: str
    weights: float
    """To read them."""
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

    A step is what the host does alone, and the longer of launching the kernels and what they take, which is
    reading the weights and, on top of it, computing the tokens: ``constant`` is the host's and the weights'
    time, ``floor`` by how much launching outlasts the weights, in which a prompt's tokens cost nothing. What
    a busy server's step takes beyond that of an idle one goes to sequences. On several GPUs the way of an
    all-reduce is not known: without peer access it goes through the host.
    """
    idle, busy = (server.at(rate)[0] for rate in (rates[0], rates[-1]))
    step = min(idle.figures[GAP], idle.figures["TPOT", "p50"])
    running = busy.rate * busy.output_tokens / busy.requests * busy.figures["TPOT", "p50"]
    beyond = max(busy.figures[GAP] - step, 0.02 * step)
    return {
        "constant": Prior(min(HOST + known.weights, step), 0.1),
        "floor": Prior(max(step - HOST - known.weights, 0.05 * step), 0.7),
        "decode": Prior(0.5 * beyond / max(1.0, running), 1.0),
        "token": Prior(known.steps.token, 0.4 if server.gpus == 1 else 0.8),
        "request": Prior(6e-3, 0.7),
        "num_gpu_blocks": Prior(known.engine.num_gpu_blocks, 0.2),
    }


def profile_of(values: Mapping[str, float], known: Known) -> LLMProfile:
    """An unjudged profile of these values."""
    steps = {name: values[name] for name in ("constant", "floor", "decode", "token")}
    form = known.steps.model_copy(update=steps)
    blocks = {"num_gpu_blocks": max(2, round(values["num_gpu_blocks"]))}
    return LLMProfile(
        model=known.model,
        step_time=form,
        correction=StepCorrection(decode=alone(form, known.weights)),
        engine=known.engine.model_copy(update=blocks),
        overheads=Overheads(request=values["request"]),
        batch_range=(0.0, 0.0),
        context_range=(0.0, 0.0),
        chunk_range=(0.0, 0.0),
        fit={},
    )


def alone(form: StepTimeParameters, weights: float) -> Table:
    """What decodes alone take, over what they would take beside a prompt, by their number.

    Alone they are computed while the weights are read, until computing takes longer (a roofline); a prompt's
    tokens come on top of that, as the gaps between tokens with a prompt in them say.
    """
    idle, host = form.constant + form.floor, max(0.0, form.constant - weights)
    factors = [
        (max(idle, host + form.token * n) + form.decode * n)
        / (form.constant + max(form.floor, form.token * n) + form.decode * n)
        for n in BATCHES
    ]
    return Table(at=list(BATCHES), factor=factors)


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
