"""Experiments on recorded traces, which the reader has to bring."""

from __future__ import annotations

from simsage.paper.experiment import Experiment
from simsage.paper.specs import spec

TOPICS = ("claims", "latency", "breakdown", "queues")
FIGURES = ("latency_cdf", "latency_parts")

TRACED = (
    Experiment(
        section="A.13",
        title="Azure code completion trace",
        scenario="azure_code",
        goal="Does routing by tokens help where arrivals and lengths are those of a real service?",
        hypotheses=(
            spec(
                "Routing by outstanding tokens lowers the tail of the first token",
                "code",
                "ttft",
                "least KV",
                "round robin",
            ),
        ),
        side_effects=(),
        topics=TOPICS,
        figures=FIGURES,
        quick={"duration_s": 200, "warmup_s": 20},
        trace={"streams.code.arrivals.path": "AzureLLMInferenceTrace_code.csv"},
    ),
    Experiment(
        section="A.14",
        title="Mooncake conversation trace",
        scenario="mooncake",
        goal="Is it worth sending a prompt to the replica that has its beginning cached?",
        hypotheses=(
            spec(
                "Sending prompts to where their beginning is cached lowers the tail of the first token",
                "talk",
                "ttft",
                "prefix affinity",
                "round robin",
            ),
        ),
        side_effects=(),
        topics=TOPICS,
        figures=FIGURES,
        quick={"duration_s": 200, "warmup_s": 20},
        trace={"streams.talk.arrivals.path": "mooncake_trace.jsonl"},
    ),
)
