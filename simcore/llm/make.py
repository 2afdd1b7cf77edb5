"""make_replica: the replica that a profile describes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from simpy import Environment

from simcore.backend import BackendEvents, BackendName
from simcore.device import Workplace
from simcore.llm.api_server import ApiServer
from simcore.llm.durations import StepDurations, StepFactors
from simcore.llm.front_end import FrontEnd
from simcore.llm.pipelined import PipelinedReplica
from simcore.llm.replica import Replica
from simcore.llm.scheduler import Scheduler
from simcore.llm.stepping import SteppingReplica
from simcore.llm.usage import ReplicaUsage
from simcore.profile.llm import LLMProfile
from simcore.profile.use import frontend_costs, host_time, launch_residuals, scheduler_config, step_time
from simcore.relay import Relay
from simcore.request import Request
from simcore.scenario.cluster import EngineOptions

Generator = Callable[[str], np.random.Generator]
"""The named random stream of one replica for one purpose."""


def make_replica(
    env: Environment,
    naming: BackendName,
    profile: LLMProfile,
    options: EngineOptions,
    device: Workplace,
    events: BackendEvents,
    relay: Relay | None,
    usage: ReplicaUsage,
    generator: Generator | None,
) -> Replica:
    """One vLLM server of ``profile`` with the engine arguments of ``options``.

    ``relay`` passes on the messages of its streams, if anything does. ``generator`` gives the streams that
    residuals are drawn from; with None every step takes its fitted time.
    """
    sampled = profile.residuals if generator else []
    rng = generator or _none
    scheduler = Scheduler(scheduler_config(options, profile))
    durations = StepDurations(step_time(profile), sampled, rng("step residual"))
    front_end = partial(_front_end, env, options, profile, events, relay)
    if (host := host_time(profile)) is None:
        return SteppingReplica(env, naming, scheduler, durations, device, front_end, events, usage)
    launches = StepFactors(launch_residuals(profile) if generator else [], rng("launch residual"))
    return PipelinedReplica(
        env, naming, scheduler, durations, host, launches, device, front_end, events, usage
    )


def _front_end(
    env: Environment,
    options: EngineOptions,
    profile: LLMProfile,
    events: BackendEvents,
    relay: Relay | None,
    arrive: Callable[[Request], None],
) -> FrontEnd:
    if (costs := frontend_costs(options, profile)) is not None:
        return ApiServer(env, costs, profile.overheads, arrive, events, relay)
    return FrontEnd(env, profile.overheads, arrive, events)


def _none(purpose: str) -> np.random.Generator:
    """A stream that nothing is drawn from."""
    return np.random.default_rng(0)
