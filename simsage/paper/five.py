"""The five experiments."""

from __future__ import annotations

from typing import Any

from simcore.scenario.document import VerdictSpec
from simsage.paper.experiment import Experiment
from simsage.paper.specs import QUICK, spec, unified


def _isolated(claim: str, stream: str, metric: str, **more: Any) -> VerdictSpec:
    return spec(claim, stream, metric, "with isolation", "without isolation", **more)


def _balanced(claim: str, metric: str, **more: Any) -> VerdictSpec:
    return spec(claim, "users", metric, "least outstanding", "round robin", **more)


def _hybrid(claim: str, stream: str, metric: str, **more: Any) -> VerdictSpec:
    return spec(claim, stream, metric, "hybrid", "GPU only", **more)


FIVE = (
    Experiment(
        section="5.1",
        title="End-to-end RAG pipeline",
        scenario="rag_pipeline",
        goal="Does a unified control plane shorten a pipeline of embedding, retrieval and generation, beside "
        "background embedding work?",
        hypotheses=(
            unified("The unified control plane lowers the pipeline's tail latency", "rag", "e2el"),
            unified("It lowers the pipeline's median latency", "rag", "e2el", statistic="p50"),
            unified("It completes more pipelines per second", "rag", "request_throughput", better="higher"),
        ),
        side_effects=(
            unified("Tail of the background indexing", "indexing", "e2el"),
            unified("First token of the pipelines", "rag", "ttft"),
        ),
        topics=("claims", "latency", "stages", "breakdown", "queues", "side_effects"),
        figures=("latency_cdf", "latency_parts", "request_timeline", "resource_efficiency"),
        quick=QUICK | {"duration_s": 60, "warmup_s": 10},
    ),
    Experiment(
        section="5.2",
        title="Unified against separate control planes",
        scenario="control_plane",
        goal="What does one control plane for LLM and embedding requests gain over one for each, from low "
        "rates to saturation?",
        hypotheses=(
            unified("The unified control plane lowers the chat tail", "chat", "ttft"),
            unified("It lowers the embedding tail", "embed", "e2el"),
            unified("More chats meet their SLO per second", "chat", "request_goodput", better="higher"),
        ),
        side_effects=(
            unified("Time between tokens of the chats", "chat", "tpot"),
            unified("Whole latency of the chats", "chat", "e2el"),
        ),
        topics=("claims", "latency", "sustained", "breakdown", "queues", "side_effects"),
        figures=("throughput_latency", "latency_cdf", "latency_parts", "resource_efficiency"),
        overrides={"sweep.points": [80, 160, 240, 320, 340, 360, 380, 400]},
        quick=QUICK | {"sweep.points": [80, 240, 320, 360, 400]},
    ),
    Experiment(
        section="5.3",
        title="Isolation from a noisy neighbour",
        scenario="noisy_neighbor_h100",
        goal="Does isolation at the control plane give an interactive tenant its tail back beside a batch "
        "flood, and who pays for it?",
        hypotheses=(_isolated("Isolation lowers the interactive tenant's tail", "interactive", "ttft"),),
        side_effects=(
            _isolated("Median of the interactive tenant", "interactive", "ttft", statistic="p50"),
            _isolated("Throughput of the batch tenant", "batch", "request_throughput", better="higher"),
            _isolated("Tail of the batch tenant", "batch", "e2el"),
        ),
        topics=("claims", "latency", "isolation", "breakdown", "queues", "side_effects"),
        figures=("latency_cdf", "latency_parts", "request_timeline", "resource_efficiency"),
        quick=QUICK | {"duration_s": 75, "warmup_s": 15},
        reference="alone",
    ),
    Experiment(
        section="5.4",
        title="Scaling over LLM backends",
        scenario="scalability",
        goal="How do throughput and the control plane's part in it go with the number of LLM backends, "
        "under more load than they can take?",
        hypotheses=(
            _balanced("Balancing by outstanding requests lowers the tail of the first token", "ttft"),
            _balanced("It completes more requests per second", "request_throughput", better="higher"),
        ),
        side_effects=(_balanced("Time between tokens", "tpot"),),
        topics=("claims", "scaling", "latency", "breakdown", "queues", "side_effects"),
        figures=("scalability", "latency_cdf", "latency_parts", "resource_efficiency"),
        quick=QUICK,
    ),
    Experiment(
        section="5.5",
        title="GPU-only against hybrid",
        scenario="heterogeneous",
        goal="What is gained and lost by moving embeddings from the LLM's GPU to CPU machines?",
        hypotheses=(
            _hybrid("Moving embeddings to CPU machines lowers the chat tail", "chat", "e2el"),
            _hybrid(
                "It produces more output tokens per second", "chat", "output_throughput", better="higher"
            ),
        ),
        side_effects=(
            _hybrid("Tail of the embeddings", "embed", "e2el"),
            _hybrid("Embeddings within their SLO per second", "embed", "request_goodput", better="higher"),
        ),
        topics=("claims", "latency", "cost", "breakdown", "queues", "side_effects"),
        figures=("latency_cdf", "latency_parts", "resource_efficiency"),
        quick=QUICK | {"duration_s": 40, "warmup_s": 10},
    ),
)
