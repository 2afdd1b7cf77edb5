"""played: what the simulator says of exactly the requests that an endpoint was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from simpy import Environment

from calibration.errors import CalibrationError
from calibration.store import Record
from simcore.backend import BackendEvents, BackendName
from simcore.device import Device
from simcore.llm.make import make_replica
from simcore.llm.usage import ReplicaUsage
from simcore.profile.llm import LLMProfile
from simcore.profile.use import scheduler_config
from simcore.request import Kind, Request
from simcore.scenario.cluster import EngineOptions
from simcore.timer import after


@dataclass(frozen=True, slots=True)
class Latency:
    """Mean TTFT and TPOT of some requests, seconds; a TPOT of no request is not a number."""

    ttft: float
    tpot: float


@dataclass(frozen=True, slots=True)
class Played:
    """The latency, and the extremes of the steps that it came from (`Replica.extents`)."""

    latency: Latency
    extremes: tuple[float, float, float]


def observed(requests: Sequence[Record]) -> Latency:
    """What the clients saw: TTFT from the moment that a request was meant to be sent."""
    return latency(
        [(r["first"] - r["intended"], r["last"] - r["first"], r["output_tokens"]) for r in requests]
    )


def play(requests: Sequence[Record], profile: LLMProfile) -> Played:
    """Their latency on one idle replica of ``profile``; raises as `replay`."""
    sent, extremes = replay(requests, profile)
    seen = [(r.first_token - r.arrival, r.finished - r.first_token, r.output_tokens) for r in sent]
    return Played(latency(seen), extremes)


def replay(
    requests: Sequence[Record], profile: LLMProfile
) -> tuple[list[Request], tuple[float, float, float]]:
    """Simulate the intended times and counted tokens; the requests, answered, and the steps' extremes.

    A record's ``prefix_keys``, if it has any, name the leading KV blocks that others share. Raises
    `CalibrationError` for a request that the engine as assumed could not have answered.
    """
    env = Environment()
    config = scheduler_config(EngineOptions(), profile)
    replica = make_replica(
        env,
        BackendName("played", "played"),
        profile,
        EngineOptions(),
        Device(env, "played"),
        _events(env),
        None,
        ReplicaUsage(0.0, np.inf, config.usable_blocks),
        None,
    )
    sent = [
        Request(
            i,
            "load",
            Kind.LLM_GENERATE,
            r["intended"],
            r["prompt_tokens"],
            r["output_tokens"],
            prefix_keys=r.get("prefix_keys", ()),
        )
        for i, r in enumerate(requests)
    ]
    for request in sent:
        after(env, request.arrival, replica.submit, request)
    env.run()
    batches, contexts, chunks = replica.extents
    return sent, (batches.most, contexts.most, chunks.most)


def _events(env: Environment) -> BackendEvents:
    def first_token(request: Request, delay: float) -> None:
        request.first_token = env.now + delay

    def finished(request: Request, delay: float) -> None:
        request.finished = env.now + delay

    def failed(request: Request) -> None:
        raise CalibrationError(
            f"the endpoint answered {request.output_tokens} tokens to {request.prompt_tokens}, which an "
            "engine of the assumed max_model_len and num_gpu_blocks could not: say what the engine's are"
        )

    return BackendEvents(first_token, finished, failed)


def latency(seen: Sequence[tuple[float, float, int]]) -> Latency:
    """Means over requests of (seconds to the first token, from there to the last, output tokens)."""
    paces = [span / (tokens - 1) for _, span, tokens in seen if tokens > 1]
    return Latency(
        float(np.mean([first for first, _, _ in seen])), float(np.mean(paces)) if paces else float("nan")
    )
