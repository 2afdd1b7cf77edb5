"""Made-up machines and simulators for tests of their comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.signal import lfilter

from simcore.metrics import Floats
from simcore.request import Kind, Outcome, Request
from simcore.scenario.document import ScenarioDocument
from tests.factories import constant, poisson, scenario
from validate.compare.case import Case

CHAT = {"kind": "chat", "prompt_tokens": constant(64), "output_tokens": constant(11), "arrivals": poisson(6)}
EMBED = {"kind": "embedding", "text_tokens": constant(30), "arrivals": poisson(6)}
CLAIM = {"claim": "It lowers the median", "stream": "embed", "metric": "e2el", "statistic": "p50"}
VARIANTS = {"variant": "fast", "baseline": "slow", "better": "lower"}

Machine = Callable[[np.random.Generator, np.random.Generator], list[Request]]
"""One repetition, from the machine's chances and the workload's."""


def document(claim: bool = False, **parts: Any) -> ScenarioDocument:
    """An embedding stream, unless ``parts`` say otherwise."""
    variants = [{"name": "slow"}, {"name": "fast"}] if claim else [{"name": "default"}]
    verdict = {"verdict": CLAIM | VARIANTS} if claim else {}
    return scenario(**({"streams": {"embed": EMBED}, "variants": variants} | verdict | parts))


def embeddings(seconds: Floats, stream: str = "embed", gap: float = 0.15) -> list[Request]:
    """Completed requests of these latencies, ``gap`` seconds apart."""
    requests = []
    for number, latency in enumerate(seconds):
        one = Request(number, stream, Kind.EMBEDDING, arrival=number * gap, prompt_tokens=30)
        one.finished, one.outcome = one.arrival + float(latency), Outcome.COMPLETED
        requests.append(one)
    return requests


def chats(ttft: Floats, tpot: Floats, stream: str = "chat", gap: float = 0.15) -> list[Request]:
    """Completed requests of 11 output tokens."""
    requests = []
    for number, (first, each) in enumerate(zip(ttft, tpot, strict=True)):
        one = Request(number, stream, Kind.LLM_CHAT, number * gap, prompt_tokens=64, output_tokens=11)
        one.first_token = one.arrival + float(first)
        one.finished, one.outcome = one.first_token + 10 * float(each), Outcome.COMPLETED
        requests.append(one)
    return requests


def waits(rng: np.random.Generator, n: int, load: float = 0.5, warmup: int = 500) -> Floats:
    """Waiting times of successive customers of an M/M/1 queue, in mean service times."""
    return lindley(rng.exponential(1, n + warmup), rng.exponential(1 / load, n + warmup))[warmup:]


def lindley(service: Floats, gaps: Floats) -> Floats:
    """Waiting times behind each other; a gap is from one customer to the next."""
    walk = np.concatenate([[0.0], np.cumsum((service - gaps)[:-1])])
    return walk - np.minimum.accumulate(walk)


def autoregressive(rng: np.random.Generator, n: int, phi: float, warmup: int = 200) -> Floats:
    """A stationary AR(1) series of mean 0."""
    series: Floats = lfilter([1.0], [1.0, -phi], rng.normal(size=n + warmup))[warmup:]
    return series


def queueing(
    rng: np.random.Generator,
    work: np.random.Generator,
    n: int = 600,
    slower: float = 1.0,
    later: float = 0.0,
) -> list[Request]:
    """A queue: ``work`` draws arrivals and sizes, ``rng`` what the machine makes of each.

    All ``slower`` times, and ``later`` seconds.
    """
    gaps, size = work.exponential(0.025, n), work.exponential(0.010, n)
    service = 0.0025 + size * rng.lognormal(0, 0.1, n)
    return embeddings(slower * (0.005 + service + lindley(service, gaps)) + later)


def repetitions(machine: Machine, seed: int, count: int = 3, work: int = 0) -> list[list[Request]]:
    """Repetitions of one ``work``: the same arrivals and sizes, the machine's chances independent."""
    return [
        machine(np.random.default_rng([seed, number]), np.random.default_rng(work)) for number in range(count)
    ]


def case(
    live: Sequence[Sequence[Request]],
    simulated: Sequence[Sequence[Request]],
    variant: str = "default",
    point: float | None = None,
    resolved: ScenarioDocument | None = None,
    lag_ms: float = 0.1,
) -> Case:
    """A case whose replayer was always ``lag_ms`` late."""
    return Case(variant, point, resolved or document(), live, simulated, np.full(100, lag_ms / 1000))
