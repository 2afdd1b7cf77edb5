"""measure: all probes that a target asks for, on backends that are stopped whatever happens."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from calibration.backends.embedding_model import EmbeddingModel
from calibration.backends.process import ending_in_order
from calibration.backends.worker import Worker
from calibration.campaign import Campaign
from calibration.compose.shape import ModelShape
from calibration.plan import Plan
from calibration.probes.colocation import probe_colocation
from calibration.probes.control import probe_control
from calibration.probes.embedding import embedding_design, probe_embedding, start_embedding
from calibration.probes.embedding_server import probe_embedding_server
from calibration.probes.engine import probe_engine, start_engine, warm_up
from calibration.probes.frontend import probe_frontend
from calibration.probes.retrieval import probe_retrieval
from calibration.target import Target

WEIGHTS = {"llm": 55, "server": 15, "embedding": 15, "embedding server": 12, "colocation": 12}
"""About how long each takes; what is not here takes `LITTLE`."""
LITTLE = 3
Shares = dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Models:
    """The models to measure, as far as they are asked for."""

    llm: Path | None
    shape: ModelShape | None
    """The LLM's."""
    embedding: EmbeddingModel | None


@dataclass(frozen=True, slots=True)
class Said:
    """What the backends said of themselves."""

    engine: dict[str, Any]
    embedding: dict[str, Any]


def measure(campaign: Campaign, target: Target, plan: Plan, models: Models) -> Said:
    """Run the probes; points that the campaign's store already has are not measured again."""
    shares = _shares(target)
    said = Said({}, {})
    with ending_in_order(), ExitStack() as stack:
        engine = embedding = None
        if models.llm:
            engine = _engine(stack, campaign, models.llm, said)
        if engine and "llm" in target.parts:
            probe_engine(campaign, engine, plan.design, shares["llm"])
        if models.embedding:
            embedding = _embedding(stack, campaign, models.embedding, said, shares)
        if embedding and models.embedding and "embedding" in target.parts:
            longest = int(said.embedding["max_tokens"])
            batches = embedding_design(plan.few_batches, longest, campaign.device)
            probe_embedding(campaign, embedding, batches, shares["embedding"])
            probe_embedding_server(campaign, embedding, models.embedding, longest, shares["embedding server"])
        if engine and embedding and "colocation" in target.parts:
            probe_colocation(campaign, engine, embedding, plan.loads, shares["colocation"])
        if engine and models.llm and "llm" in target.parts:
            probe_frontend(campaign, engine, models.llm, shares["server"])
    with ending_in_order():
        if "retrieval" in target.parts:
            probe_retrieval(campaign, plan.index, shares["retrieval"])
        if "control" in target.parts:
            probe_control(campaign, shares["control"])
    return said


def _engine(stack: ExitStack, campaign: Campaign, model: Path, said: Said) -> Worker:
    campaign.progress("starting the engine", 0.0)
    engine = stack.enter_context(start_engine(campaign, model))
    said.engine.update(engine.ready())
    warm_up(engine)
    return engine


def _embedding(
    stack: ExitStack, campaign: Campaign, model: EmbeddingModel, said: Said, shares: Shares
) -> Worker:
    first = shares.get("embedding", shares.get("colocation", (0.0, 0.0)))[0]
    campaign.progress("starting the embedding model", first)
    embedding = stack.enter_context(start_embedding(campaign, model))
    said.embedding.update(embedding.ready())
    return embedding


def _shares(target: Target) -> Shares:
    """From where to where in the progress each stage goes, in the order in which they are measured."""
    order = ["llm", "embedding", "embedding server", "colocation", "server", "retrieval", "control"]
    parts = {"embedding server": "embedding", "server": "llm"}
    stages = [stage for stage in order if parts.get(stage, stage) in target.parts]
    ends = [0.05, *(WEIGHTS.get(stage, LITTLE) for stage in stages)]
    marks = [0.05 + 0.93 * mark / sum(ends[1:]) for mark in accumulate(ends[1:], initial=0.0)]
    return dict(zip(stages, pairwise(marks), strict=True))
