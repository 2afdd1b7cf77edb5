"""What vLLM's benchmark_serving.py said of a server, rate by rate, and the load that it put on it.

The tool's results hold totals and statistics, no requests. What it sent is known all the same where its
seed is: the gaps between arrivals are its generator's, and the same prompts come again at every rate. Of
their lengths the totals are known, and when the last answer was complete.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.special import gamma
from scipy.stats import truncnorm, weibull_min

from calibration.fits.linear import Array

METRICS = ("TTFT", "TPOT")
GAP = ("ITL", "p50")
"""The median gap between two tokens: a decode step that met no prompt."""
STATISTICS = ("mean", "p50", "p90", "p99")
Figures = dict[tuple[str, str], float]
"""Seconds by metric and statistic."""
SHORTEST, LONGEST_PROMPT = 4, 1024
"""Tokens of the ShareGPT prompts that the tool takes (SharegptDataset of vllm/benchmarks)."""
PROMPT_SPREAD = 1.3
"""Standard deviation of the logarithm of ShareGPT's first prompts: assumed, few of these runs can tell."""
SHAPES = (0.6, 3.0)
"""Weibull shapes that answers may have; LMBench's ShareGPT answers (llmd_a100) have 1.7."""
ORDERS = 50
"""Orders of the answers that are tried."""


@dataclass(frozen=True, slots=True)
class BenchmarkRun:
    """One rate: what was asked, and what it took; seconds and tokens."""

    rate: float
    requests: int
    prompt_tokens: int
    output_tokens: int
    """Both are totals."""
    duration: float
    """From the first arrival to the last answer."""
    figures: Figures


@dataclass(frozen=True)
class BenchmarkedServer:
    """A model on a machine and its runs, in the order in which the table has them."""

    model: str
    gpu: str
    gpus: int
    runs: Sequence[BenchmarkRun]

    @property
    def name(self) -> str:
        """The model's last name, the number of GPUs and theirs."""
        return f"{self.model.rpartition('/')[2]} on {self.gpus} x {self.gpu}"

    @cached_property
    def rates(self) -> tuple[float, ...]:
        """Rates that it was measured at, rising."""
        return tuple(sorted({run.rate for run in self.runs}))

    def at(self, rate: float) -> list[BenchmarkRun]:
        """The run of that rate, and its reruns."""
        return [run for run in self.runs if run.rate == rate]


def read_servers(table: Path) -> list[BenchmarkedServer]:
    """All servers of a table of results."""
    runs: dict[tuple[str, str, int], list[BenchmarkRun]] = {}
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            server = row["model_id"], row["gpu_name"], int(row["gpu_count"])
            runs.setdefault(server, []).append(_run(row))
    return [BenchmarkedServer(*server, found) for server, found in runs.items()]


def _run(row: Mapping[str, str]) -> BenchmarkRun:
    return BenchmarkRun(
        rate=float(row["request_rate"]),
        requests=int(row["completed"]),
        prompt_tokens=int(row["total_input_tokens"]),
        output_tokens=int(row["total_output_tokens"]),
        duration=float(row["duration"]),
        figures={
            (metric, name): float(row[f"{name}_{metric.lower()}_ms"]) / 1e3
            for metric, name in (*product(METRICS, STATISTICS), GAP)
        },
    )


def arrivals(requests: int, rate: float, seed: int) -> Array:
    """Seconds at which the tool sends: as its generator draws the gaps, the first at 0."""
    gaps = np.random.RandomState(seed).gamma(1.0, 1.0 / rate, requests - 1)
    return np.concatenate([[0.0], np.cumsum(gaps)])


def prompt_lengths(total: int, count: int, draw: np.random.Generator) -> list[int]:
    """Log-normal lengths, cut as the tool cuts them, of that total but for rounding."""
    ends = np.log([SHORTEST, LONGEST_PROMPT])

    def lengths(centre: float) -> Array:
        low, high = (ends - centre) / PROMPT_SPREAD
        at = (np.arange(count) + 0.5) / count
        return np.asarray(np.exp(truncnorm.ppf(at, low, high, loc=centre, scale=PROMPT_SPREAD)))

    centre = brentq(lambda c: lengths(c).mean() - total / count, ends[0] - 3, ends[1] + 3)
    return [int(n) for n in draw.permutation(np.rint(lengths(centre)))]


def output_lengths(total: int, count: int, shape: float, draw: np.random.Generator) -> list[int]:
    """Weibull lengths of that total but for rounding."""
    lengths = np.rint(total / count * _weibull(shape, count))
    return [max(1, int(n)) for n in draw.permutation(lengths)]


def answers_shape(run: BenchmarkRun, idle: BenchmarkRun, seed: int) -> float:
    """The Weibull shape with which answers in any order end, on average, when the run ended.

    Few long answers end it later than many middling ones of the same total. As the server empties its pace
    goes from that of ``run`` to that of ``idle``, the lowest rate.
    """
    sent = arrivals(run.requests, run.rate, seed) + run.figures["TTFT", "p50"]
    pace = (run.figures["TPOT", "p50"] + idle.figures["TPOT", "p50"]) / 2
    mean = run.output_tokens / run.requests
    orders = [np.random.default_rng(i).permutation(run.requests) for i in range(ORDERS)]

    def late(shape: float) -> float:
        lasting = pace * mean * _weibull(shape, run.requests)
        return float(np.mean([(sent + lasting[order]).max() for order in orders])) - run.duration

    low, high = SHAPES
    return low if late(low) < 0 else high if late(high) > 0 else float(brentq(late, low, high, xtol=1e-3))


def _weibull(shape: float, count: int) -> Array:
    """Evenly spaced quantiles of the distribution of mean 1."""
    at = (np.arange(count) + 0.5) / count
    return np.asarray(weibull_min.ppf(at, shape, scale=1 / gamma(1 + 1 / shape)))


def statistics(ttft: Array, tpot: Array) -> Figures:
    """As the tool has them; of requests with one token there is no TPOT."""
    found: Iterator[tuple[str, Array]] = zip(METRICS, (ttft, tpot), strict=True)
    return {
        (metric, name): float(value)
        for metric, values in found
        for name, value in zip(STATISTICS, [values.mean(), *np.percentile(values, (50, 90, 99))], strict=True)
    }
