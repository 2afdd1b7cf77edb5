"""The engine against queueing theory, each figure within its own confidence interval over replications."""

from __future__ import annotations

from math import factorial
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simcore.request import Outcome
from simcore.result import SimulationResult
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate
from tests.factories import poisson, profile, scenario

REPLICATIONS = 10
CONFIDENCE = 0.999
"""So high because a suite of such tests must not fail by chance; the half-widths are checked to be small."""

TOKENS = 1_000_000
"""Mean length of a text: so fine a grain that an exponential number of tokens is an exponential time."""


def run(
    document: ScenarioDocument, replications: int = REPLICATIONS, **times: dict[str, float]
) -> list[SimulationResult]:
    profiles = {"test": profile(**times)}
    return [simulate(document, profiles, i, Path()) for i in range(replications)]


def mean_latency(result: SimulationResult, warmup: float, stream: str | None = None) -> float:
    counted = [r for r in result.requests if r.arrival >= warmup and stream in (None, r.stream)]
    assert all(r.outcome is Outcome.COMPLETED for r in counted)
    return float(np.mean([r.finished - r.arrival for r in counted]))


def agrees(samples: list[float], theory: float, *, within: float = 0.12) -> None:
    mean = np.mean(samples)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(samples) - 1) * stats.sem(samples)
    assert half < within * theory, "the interval is too wide to say anything"
    assert abs(mean - theory) <= half, f"{mean:.4f} ± {half:.4f}, theory {theory:.4f}"


def embedding_queue(rate: float, servers: int, duration: float = 20_000.0) -> ScenarioDocument:
    return scenario(
        duration_s=duration,
        warmup_s=500.0,
        drain_s=10_000.0,
        streams={
            "texts": {
                "kind": "embedding",
                "arrivals": poisson(rate),
                "text_tokens": {"distribution": "exponential", "mean": TOKENS},
            }
        },
        backends={
            "embedding": {
                "kind": "embedding",
                "profile": "test",
                "count": servers,
                "batching": {"serial": True},
            }
        },
        control_plane={"max_in_flight_embedding": 1},
    )


def replica_queue(rate: float, output_tokens: dict[str, float | str], duration: float) -> ScenarioDocument:
    return scenario(
        duration_s=duration,
        warmup_s=100.0,
        drain_s=10_000.0,
        streams={
            "chat": {
                "kind": "chat",
                "arrivals": poisson(rate),
                "prompt_tokens": {"distribution": "constant", "value": 8.0},
                "output_tokens": output_tokens,
            }
        },
        backends={"llm": {"kind": "llm", "profile": "test", "engine": {"max_num_seqs": 1}}},
    )


EXPONENTIAL = {"constant": 0.0, "padded": 1 / TOKENS}


def test_mm1_on_an_embedding_server() -> None:
    """Its time in the system, and its utilisation: the offered load."""
    rate = 0.6
    results = run(embedding_queue(rate, 1), embed_time=EXPONENTIAL)
    agrees([mean_latency(r, 500.0) for r in results], 1 / (1 - rate))
    agrees([r.backends[0].utilisation for r in results], rate)


@pytest.mark.parametrize(("servers", "rate"), [(2, 1.4), (4, 3.0)])
def test_mmc_behind_one_queue(servers: int, rate: float) -> None:
    waiting = sum(rate**k / factorial(k) for k in range(servers))
    busy = rate**servers / factorial(servers) * servers / (servers - rate)
    erlang_c = busy / (waiting + busy)
    results = run(embedding_queue(rate, servers, 10_000.0), embed_time=EXPONENTIAL)
    agrees([mean_latency(r, 500.0) for r in results], 1 + erlang_c / (servers - rate))


@pytest.mark.parametrize(
    ("output_tokens", "mean", "second_moment"),
    [
        ({"distribution": "constant", "value": 50.0}, 50.0, 2500.0),
        ({"distribution": "uniform", "low": 1.0, "high": 99.0}, 50.0, sum(n * n for n in range(100)) / 99),
        ({"distribution": "empirical", "values": [10.0, 150.0], "weights": [5.0, 2.0]}, 50.0, 6500.0),
    ],
    ids=["M/D/1", "uniform", "two-point"],
)
def test_mg1_on_a_replica(output_tokens: dict[str, float | str], mean: float, second_moment: float) -> None:
    """A heavier two-point law (10 or 290 tokens) needs far more replications for a t interval: its means are
    skewed. That every path is right whatever the law, `test_..._lindleys_recursion` holds exactly.

    Pollaczek-Khinchine; a replica with one slot whose steps all last 10 ms serves n tokens in 10n ms."""
    rate, step = 1.2, 0.01
    load = rate * mean * step
    theory = mean * step + rate * second_moment * step**2 / (2 * (1 - load))
    results = run(replica_queue(rate, output_tokens, 6000.0), step_time={"constant": step})
    agrees([mean_latency(r, 100.0) for r in results], theory)


def test_a_replica_with_one_slot_follows_lindleys_recursion() -> None:
    """Every single waiting time, not only their mean: W' = max(0, W + service - gap)."""
    document = replica_queue(1.6, {"distribution": "uniform", "low": 1.0, "high": 99.0}, 1000.0)
    (result,) = run(document, replications=1, step_time={"constant": 0.01})
    wait, previous = 0.0, None
    for request in result.requests:
        if previous is not None:
            gap = request.arrival - previous.arrival
            wait = max(0.0, wait + previous.output_tokens * 0.01 - gap)
        assert request.finished - request.arrival == pytest.approx(wait + request.output_tokens * 0.01)
        previous = request


def test_littles_law_from_separate_counts() -> None:
    """Requests in the system, integrated by the backend's meters, against arrivals times time in system."""
    document = replica_queue(1.2, {"distribution": "uniform", "low": 1.0, "high": 99.0}, 6000.0)
    for result in run(document, replications=3, step_time={"constant": 0.01}):
        usage = result.backends[0]
        in_system = usage.waiting_mean + usage.utilisation * usage.batch_mean
        counted = [r for r in result.requests if r.arrival >= 100.0]
        rate = len(counted) / 5900.0
        assert in_system == pytest.approx(rate * mean_latency(result, 100.0), rel=0.02)
