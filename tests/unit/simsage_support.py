"""Hand-made requests and a stand-in for the engine, for tests of what comes after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simcore.profile.base import FitQuality
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.embedding import EmbeddingProfile, EmbedTimeParameters
from simcore.profile.llm import EngineFacts, LLMProfile, StepTimeParameters
from simcore.request import Kind, Outcome, Priority, Request, Service
from simcore.result import BackendUsage, ControlPlaneUsage, SimulationResult
from simcore.scenario.document import ScenarioDocument

SCENARIO = """\
schema_version: 1
name: noisy
title: {title}
seed: 7
duration_s: 20
warmup_s: 5
replications: 3
streams:
  interactive:
    kind: chat
    tenant: web
    priority: HIGH
    arrivals: {{process: poisson, rate: 4}}
    prompt_tokens: {{distribution: constant, value: 100}}
    output_tokens: {{distribution: constant, value: 11}}
    slo: {{ttft_ms: 200}}
  search:
    kind: embedding
    arrivals: {{process: poisson, rate: 2}}
    text_tokens: {{distribution: constant, value: 30}}
backends:
  llm: {{kind: llm, profile: toy.json}}
  embed: {{kind: embedding, profile: toy.json}}
variants:
  - name: shared
  - name: isolated
    set: {{control_plane.max_in_flight: 8}}
{sweep}verdict:
  claim: Isolation lowers the interactive p99 time to first token
  stream: interactive
  metric: ttft
  variant: isolated
  baseline: shared
"""
SWEEP = """\
sweep:
  label: "Rate (req/s, in $)"
  points: [2, 4]
  set: {streams.interactive.arrivals.rate: 1}
"""


def write_scenario(folder: Path, title: str = "Two tenants", sweep: str = "") -> Path:
    """A scenario of two variants, and the profile that it names."""
    (folder / "toy.json").write_text(profile().to_json())
    path = folder / "noisy.yaml"
    path.write_text(SCENARIO.format(title=title, sweep=sweep))
    return path


def profile() -> ProfileDocument:
    """A profile that nothing was measured for."""
    fit = {"all": FitQuality(points=1, held_out=1, median_abs_error=0.0, p90_abs_error=0.0)}
    engine = EngineFacts(
        num_gpu_blocks=1000, max_num_batched_tokens=2048, max_num_seqs=64, max_model_len=4096
    )
    return ProfileDocument(
        schema_version=2,
        name="toy",
        description="For tests",
        provenance=Provenance(how="estimated", source="made up for tests", date="2026-01-01"),
        hardware={},
        software={},
        llm=LLMProfile(
            model="none",
            step_time=StepTimeParameters(constant=0.01),
            engine=engine,
            batch_range=(1, 64),
            context_range=(0, 4096),
            chunk_range=(0, 2048),
            fit=fit,
        ),
        embedding=EmbeddingProfile(
            model="none",
            embed_time=EmbedTimeParameters(constant=0.01),
            batch_range=(1, 32),
            length_range=(1, 512),
            fit=fit,
        ),
    )


def request(number: int, arrival: float, **facts: Any) -> Request:
    """A chat request of eleven output tokens that completed unless ``facts`` say otherwise."""
    made = {"stream": "interactive", "kind": Kind.LLM_CHAT, "prompt_tokens": 100, "output_tokens": 11}
    made |= {name: facts.pop(name) for name in list(facts) if name in Request.__init__.__annotations__}
    one = Request(id=number, arrival=arrival, **made)
    one.outcome = Outcome.COMPLETED
    for name, value in facts.items():
        setattr(one, name, value)
    return one


BACKENDS = ("llm-0", "embed-0")
"""Their names in `result_of`."""


def result_of(requests: Sequence[Request], warnings: Sequence[str] = ()) -> SimulationResult:
    """What the engine would give, with one LLM replica and one embedding server."""
    backends = [
        BackendUsage("llm-0", Service.LLM, "gpu-0", "toy", 15.0, 7.5, 100, 3.0, 1.0, 0.25, 0.5, 2),
        BackendUsage("embed-0", Service.EMBEDDING, "gpu-0", "toy", 15.0, 1.5, 20, 1.5, 0.1),
    ]
    planes = [ControlPlaneUsage("unified", len(requests), 0.5, 0.15)]
    return SimulationResult(list(requests), backends, planes, 25.0, 120, list(warnings))


def stand_in(
    scenario: ScenarioDocument,
    profiles: Mapping[str, ProfileDocument],
    replication: int,
    base: Path,
    ended: Callable[[Request], None],
) -> SimulationResult:
    """Answers every request in a time that isolation halves; same seed, same requests in all variants."""
    rng = np.random.default_rng([scenario.seed, replication])
    slow = 1.0 if scenario.control_plane.max_in_flight is None else 0.5
    requests = []
    for name, stream in scenario.streams.items():
        count = round(stream.arrivals.rate * scenario.duration_s)
        kind = Kind.EMBEDDING if stream.kind == "embedding" else Kind.LLM_CHAT
        for arrival in np.sort(rng.uniform(0, scenario.duration_s, count)):
            requests.append(
                _answered(len(requests), name, stream, kind, float(arrival), slow * rng.exponential(0.1))
            )
    for one in requests:
        ended(one)
    return result_of([])


def _answered(number: int, name: str, stream: Any, kind: Kind, arrival: float, wait: float) -> Request:
    llm = kind is Kind.LLM_CHAT
    return request(
        number,
        arrival,
        stream=name,
        kind=kind,
        tenant=stream.tenant,
        priority=Priority[stream.priority],
        output_tokens=11 if llm else 0,
        scheduled=arrival + wait,
        first_token=arrival + wait + 0.05 if llm else float("nan"),
        finished=arrival + wait + 0.25,
        backend=0 if llm else 1,
    )
