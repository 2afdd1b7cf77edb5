"""The studies around the five experiments; they go into the appendix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simcore.scenario.document import VerdictSpec
from simsage.paper.experiment import Experiment
from simsage.paper.specs import QUICK, spec, unified

POLICIES = (
    *("priority", "slo_aware", "cost_optimized", "adaptive", "hybrid", "aegaeon"),
    *("ageing_priority", "earliest_deadline", "virtual_token_counter", "deficit_round_robin"),
)
SEPARATE = ("round robin", "least outstanding", "least KV", "power of two", "GPU for embeddings")
PLACES = ("on one GPU", "on CPU machines")


def _against_fifo(policy: str) -> VerdictSpec:
    return spec(f"Against fifo, {policy} lowers the chat tail", "chat", "ttft", policy, "fifo")


def _ablation(section: str, traffic: str, overrides: Mapping[str, Any]) -> Experiment:
    return Experiment(
        section=section,
        title=f"Policy ablation on {traffic} traffic",
        label=f"policies_{traffic.replace('-', '_')}",
        scenario="policy_ablation",
        goal=f"Which policies lower the chat tail on {traffic} traffic, and at whose cost?",
        hypotheses=tuple(_against_fifo(policy) for policy in POLICIES),
        side_effects=tuple(
            spec(f"Tail of the bulk tenant by {policy}", "bulk", "e2el", policy, "fifo")
            for policy in POLICIES
        ),
        topics=("claims", "latency", "side_effects"),
        figures=("latency_cdf", "latency_parts"),
        overrides=overrides,
        quick=QUICK | {"duration_s": 20, "warmup_s": 5},
    )


def _regimes() -> tuple[VerdictSpec, ...]:
    parts = (("chat", "ttft"), ("embed", "e2el"))
    return tuple(
        spec(
            f"The unified control plane lowers the {stream} tail {place}",
            stream,
            metric,
            f"unified {place}",
            f"separate {place}",
        )
        for stream, metric in parts
        for place in PLACES
    )


def _sizes() -> tuple[VerdictSpec, ...]:
    return tuple(
        spec(
            f"A control plane that costs nothing lowers the {size} model's median latency",
            "chat",
            "e2el",
            f"{size} with free control",
            size,
            statistic="p50",
        )
        for size in ("7B", "13B", "70B")
    )


def _recovered(claim: str, variant: str, baseline: str) -> VerdictSpec:
    return spec(claim, "generate", "request_goodput", variant, baseline, better="higher")


STUDIES = (
    Experiment(
        section="A.1",
        title="Regime map",
        scenario="regime_map",
        goal="At which rates, shares of embeddings and placements does a unified control plane gain over "
        "separate ones, and where does it lose?",
        hypotheses=_regimes(),
        side_effects=(),
        topics=("regimes", "queues"),
        figures=("regime_map",),
        quick=QUICK | {"duration_s": 20, "warmup_s": 5},
    ),
    Experiment(
        section="A.2",
        title="Scaling to a thousand backends",
        scenario="scalability_beyond",
        goal="From how many backends on does the control plane limit what the cluster completes?",
        hypotheses=(
            spec(
                "Cheaper decisions complete more requests per second",
                "users",
                "request_throughput",
                "0.02 ms a decision",
                "0.2 ms a decision",
                better="higher",
            ),
        ),
        side_effects=(),
        topics=("claims", "scaling", "queues"),
        figures=("scalability",),
        quick={"sweep.points": [16, 64, 128], "duration_s": 5},
    ),
    Experiment(
        section="A.3",
        title="Load scaling to and past saturation",
        scenario="load_scaling",
        goal="How do latencies and SLO attainment go with the load, and what saturates first?",
        hypotheses=(
            spec(
                "Cheap decisions lower the tail of the first token",
                "chat",
                "ttft",
                "0.05 ms a decision",
                "2 ms a decision",
            ),
        ),
        side_effects=(),
        topics=("claims", "latency", "sustained", "breakdown", "queues"),
        figures=("throughput_latency", "latency_cdf", "latency_parts"),
        quick=QUICK | {"sweep.points": [100, 450, 550, 650]},
    ),
    Experiment(
        section="A.4",
        title="Concurrent clients",
        scenario="concurrent_clients",
        goal="What do 1 to 100 clients with long documents do to as many with short questions?",
        hypotheses=(
            spec(
                "Sharing by tokens served lowers the tail of short questions",
                "short",
                "ttft",
                "virtual token counter",
                "fifo",
            ),
        ),
        side_effects=(
            spec("Tail of the long documents", "long", "e2el", "virtual token counter", "fifo"),
            spec(
                "Documents per second",
                "long",
                "request_throughput",
                "virtual token counter",
                "fifo",
                better="higher",
            ),
        ),
        topics=("claims", "latency", "isolation", "breakdown", "queues", "side_effects"),
        figures=("throughput_latency", "latency_cdf", "latency_parts"),
        quick=QUICK | {"duration_s": 40, "warmup_s": 10},
        reference="alone",
    ),
    Experiment(
        section="A.5",
        title="Control plane overhead by model size",
        scenario="model_size",
        goal="How much of the latency is the control plane's, for models of 7, 13 and 70 billion parameters?",
        hypotheses=_sizes(),
        side_effects=(),
        topics=("claims", "latency", "breakdown", "queues"),
        figures=("latency_cdf", "latency_parts"),
        quick={"replications": 5, "duration_s": 40},
    ),
    _ablation("A.6", "steady", {}),
    _ablation(
        "A.7",
        "bursty",
        {
            "streams.chat.arrivals": {"process": "gamma", "rate": 50, "cv": 4},
            "streams.bulk.arrivals": {"process": "gamma", "rate": 30, "cv": 4},
        },
    ),
    _ablation("A.8", "mixed-priority", {"streams.chat.priority": "HIGH", "streams.bulk.priority": "LOW"}),
    Experiment(
        section="A.9",
        title="Baselines",
        scenario="baselines",
        goal="Does the unified control plane gain over the best of the separate ones? It does if it "
        "gains over each.",
        hypotheses=tuple(
            spec(f"Unified lowers the chat tail against {name}", "chat", "ttft", "unified", name)
            for name in (*SEPARATE, "unified fifo", "single instance")
        ),
        side_effects=tuple(
            spec(f"Tail of the embeddings against {name}", "embed", "e2el", "unified", name)
            for name in SEPARATE
        ),
        topics=("claims", "latency", "breakdown", "queues", "side_effects"),
        figures=("latency_cdf", "latency_parts"),
        quick=QUICK,
    ),
    Experiment(
        section="A.10",
        title="SAGE as designed and as implemented",
        scenario="sage_presets",
        goal="How far is what SAGE's code does from what its papers describe?",
        hypotheses=(
            spec(
                "As designed, the chat tail is lower than as implemented",
                "chat",
                "ttft",
                "designed",
                "implemented",
            ),
            spec(
                "As designed, the embedding tail is lower than as implemented",
                "embed",
                "e2el",
                "designed",
                "implemented",
            ),
        ),
        side_effects=(spec("Time between tokens", "chat", "tpot", "designed", "implemented"),),
        topics=("claims", "latency", "sustained", "breakdown", "queues", "side_effects"),
        figures=("throughput_latency", "latency_cdf", "latency_parts"),
    ),
    Experiment(
        section="A.11",
        title="Multi-step agents",
        scenario="agents",
        goal="Does a unified control plane shorten tasks of several generations with look-ups between them?",
        hypotheses=(
            unified("The unified control plane lowers the tail of agents' tasks", "agent", "e2el"),
            unified("It lowers their median", "agent", "e2el", statistic="p50"),
        ),
        side_effects=(unified("Tail of the background indexing", "indexing", "e2el"),),
        topics=("claims", "latency", "stages", "breakdown", "queues", "side_effects"),
        figures=("latency_cdf", "latency_parts", "request_timeline"),
        quick=QUICK | {"duration_s": 60, "warmup_s": 15},
    ),
    Experiment(
        section="A.12",
        title="Recovery from a crash",
        scenario="backend_crash",
        goal="How much of the goodput does each part of the recovery keep when one of four replicas crashes?",
        hypotheses=(
            _recovered("Checks every second keep up more goodput", "checks every second", "with retries"),
            _recovered("Retries keep up more goodput", "with retries", "without retries"),
        ),
        side_effects=(
            spec("First token, with a crash and without", "generate", "ttft", "with retries", "no crash"),
            _recovered("Goodput of SAGE as implemented", "SAGE as implemented", "with retries"),
        ),
        topics=("claims", "latency", "breakdown", "queues", "side_effects"),
        figures=("goodput_timeline", "latency_cdf", "latency_parts"),
        quick={"replications": 3},
    ),
)
