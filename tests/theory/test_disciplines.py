"""Disciplines beyond one queue in order: priorities, processor sharing; and intervals of simulated means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate
from simsage.statistics import estimate
from tests.factories import constant, poisson, profile, scenario
from tests.theory.test_queues import agrees, mean_latency, run

STEP = 0.01
"""Seconds of one token at a replica with one slot."""


def classes(rates: dict[str, float], duration: float = 8000.0) -> ScenarioDocument:
    """One class of chats for each priority, of 1 to 99 tokens; one replica that answers one at a time."""
    lengths = {"distribution": "uniform", "low": 1.0, "high": 99.0}
    return scenario(
        duration_s=duration,
        warmup_s=100.0,
        drain_s=10_000.0,
        streams={
            priority.lower(): {
                "kind": "chat",
                "priority": priority,
                "arrivals": poisson(rate),
                "prompt_tokens": constant(8),
                "output_tokens": lengths,
            }
            for priority, rate in rates.items()
        },
        backends={"llm": {"kind": "llm", "profile": "test", "engine": {"max_num_seqs": 1}}},
        control_plane={"ordering": "priority", "max_in_flight": 1},
    )


@pytest.mark.parametrize("rates", [{"HIGH": 0.6, "LOW": 0.6}, {"CRITICAL": 0.3, "NORMAL": 0.7, "LOW": 0.3}])
def test_priority_mg1_is_cobhams(rates: dict[str, float]) -> None:
    """Non-preemptive priorities: W_k = W_0 / ((1 - s_{k-1}) (1 - s_k)), s_k the load of classes 1 to k."""
    mean, second = 50 * STEP, STEP**2 * sum(n * n for n in range(100)) / 99
    remaining = sum(rates.values()) * second / 2
    results = run(classes(rates), step_time={"constant": STEP})
    load = 0.0
    for priority, rate in rates.items():
        above, load = load, load + rate * mean
        waiting = remaining / ((1 - above) * (1 - load))
        agrees([mean_latency(r, 100.0, priority.lower()) for r in results], waiting + mean)


def test_priorities_leave_the_mean_wait_over_all_work_as_it_is() -> None:
    """Kleinrock's conservation law: sum of load_k W_k is that of first come, first served."""
    document = classes({"HIGH": 0.6, "LOW": 0.6}, 3000.0)
    plane = document.control_plane.model_copy(update={"ordering": "fifo"})
    other = document.model_copy(update={"control_plane": plane})
    profiles = {"test": profile({"constant": STEP})}
    for replication in range(3):
        # Work in the system is the same at every moment, so the waits weighted by service agree run by run.
        found = []
        for one in (document, other):
            requests = simulate(one, profiles, replication, Path()).requests
            services = np.array([r.output_tokens * STEP for r in requests])
            waits = np.array([r.finished - r.arrival for r in requests]) - services
            found.append(float((services * waits).sum()))
        assert found[0] == pytest.approx(found[1], rel=1e-6)


def sharing(output_tokens: dict[str, object], rate: float) -> ScenarioDocument:
    """A replica whose step takes as long as there are sequences in it: each gets its share of one machine."""
    return scenario(
        duration_s=4000.0,
        warmup_s=100.0,
        drain_s=10_000.0,
        streams={
            "chat": {
                "kind": "chat",
                "arrivals": poisson(rate),
                "prompt_tokens": constant(1),
                "output_tokens": output_tokens,
            }
        },
        backends={
            "llm": {
                "kind": "llm",
                "profile": "test",
                "engine": {"max_num_seqs": 512, "max_num_batched_tokens": 2048, "num_gpu_blocks": 100_000},
            }
        },
    )


@pytest.mark.parametrize(
    "output_tokens",
    [
        {"distribution": "uniform", "low": 1.0, "high": 399.0},
        {"distribution": "empirical", "values": [100.0, 1100.0], "weights": [9.0, 1.0]},
    ],
    ids=["uniform", "two-point"],
)
def test_a_replica_that_shares_its_time_is_mg1_processor_sharing(output_tokens: dict[str, object]) -> None:
    """M/G/1-PS: the mean is E[S] / (1 - load) whatever the law of the lengths.

    A step decodes one token of each sequence in ``STEP`` seconds a sequence; the grain is 1/200 of a service.
    """
    step, rate, mean = 0.0025, 1.2, 200 * 0.0025
    results = run(sharing(output_tokens, rate), step_time={"constant": 0.0, "token": step})
    agrees([mean_latency(r, 100.0) for r in results], mean / (1 - rate * mean))


def test_intervals_of_simulated_means_cover_at_their_nominal_rate() -> None:
    """Of 100 intervals over 5 replications of an M/D/1, as `simsage run` gives them, 95% hold the mean.

    Each replication counts 1,000 requests. With 200 the means of five are so skewed that a t interval holds
    the mean 93 times in 100: Lindley's recursion alone, 3,000 such intervals, says so, and 95 for 1,000.
    """
    rate, service = 1.0, 0.5
    theory = service + rate * service**2 / (2 * (1 - rate * service))
    document = scenario(
        duration_s=1050.0,
        warmup_s=50.0,
        drain_s=1000.0,
        streams={
            "chat": {
                "kind": "chat",
                "arrivals": poisson(rate),
                "prompt_tokens": constant(8),
                "output_tokens": constant(1),
            }
        },
        backends={"llm": {"kind": "llm", "profile": "test", "engine": {"max_num_seqs": 1}}},
    )
    profiles, trials = {"test": profile({"constant": service})}, 100
    seeded = [document.model_copy(update={"seed": 1000 + trial}) for trial in range(trials)]
    found = [[mean_latency(simulate(one, profiles, i, Path()), 50.0) for i in range(5)] for one in seeded]
    intervals = [estimate(means).ci95 or (np.nan, np.nan) for means in found]
    covered = sum(low <= theory <= high for low, high in intervals)
    # Four standard errors of a share of 95% over that many trials.
    assert covered / trials == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / trials))
    # Replications that shared their draws, or intervals too wide, would cover as well or better.
    assert all(len(set(means)) == 5 for means in found)
    halves = [(high - low) / 2 for low, high in intervals]
    spread = np.std(np.array(found) - np.mean(found, axis=1, keepdims=True)) * np.sqrt(5 / 4)
    assert np.mean(halves) == pytest.approx(t.ppf(0.975, 4) * spread / np.sqrt(5), rel=0.2)
