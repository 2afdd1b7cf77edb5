"""What the engine takes from profiles: service times and engine arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from simcore.embedding_host import HostWork
from simcore.llm.config import SchedulerConfig
from simcore.profile.base import Overheads, Residuals
from simcore.profile.control import ControlCosts
from simcore.profile.correction import Correction
from simcore.profile.document import ProfileDocument
from simcore.profile.embedding import EmbeddingProfile
from simcore.profile.embedtime import EmbedTime
from simcore.profile.frontend import FrontEndCosts
from simcore.profile.hosttime import HostTime
from simcore.profile.llm import LLMProfile, Table
from simcore.profile.power import Power
from simcore.profile.retrieval import RetrievalProfile
from simcore.profile.searchtime import SearchTime
from simcore.profile.steptime import StepTime
from simcore.scenario.cluster import EmbeddingBackends, EngineOptions, LLMBackends
from simcore.scenario.document import ScenarioDocument
from simcore.step import Step

Profiles = Mapping[str, ProfileDocument]


def llm_profile(profiles: Profiles, name: str) -> LLMProfile:
    """The LLM part of the profile of that name; ValueError if it has none."""
    part = profiles[name].llm
    if part is None:
        raise ValueError(f"profile {name!r} has no LLM")
    return part


def served_llm(profiles: Profiles, name: str) -> LLMProfile:
    """The LLM part as a server has it; ValueError if the profile has none.

    What serving takes of the device is part of the step that takes a request in.
    """
    part = llm_profile(profiles, name)
    delays, work = serving(profiles[name], part.overheads)
    form = part.step_time.model_copy(update={"prefill": part.step_time.prefill + work})
    return part.model_copy(update={"step_time": form, "overheads": delays})


def serving(profile: ProfileDocument, overheads: Overheads) -> tuple[Overheads, float]:
    """What serving a request delays that request alone, and the seconds it takes of the backend's device.

    On a CPU the API server computes on the backend's own cores: what it does to a request delays the others.
    """
    if not profile.on_cpu:
        return overheads, 0.0
    share = overheads.device_share
    left = {"request": overheads.request * (1.0 - share), "output": overheads.output * (1.0 - share)}
    return overheads.model_copy(update=left), share * (overheads.request + overheads.output)


def embedding_profile(profiles: Profiles, name: str) -> EmbeddingProfile:
    """The embedding part of the profile of that name; ValueError if it has none."""
    part = profiles[name].embedding
    if part is None:
        raise ValueError(f"profile {name!r} has no embedding model")
    return part


def embedding_serving(
    profile: ProfileDocument, part: EmbeddingProfile
) -> tuple[Overheads, HostWork, HostWork]:
    """What serving delays one request alone, what the server does one after another, and what on the device.

    On a CPU the server computes on the model's own cores, so a batch takes longer by what it does.
    """
    delays, work = serving(profile, part.overheads)
    if part.serving is None:
        return delays, HostWork(), HostWork(work)
    token, vector = part.serving.token, part.serving.vector
    if profile.on_cpu:
        return delays.model_copy(update={"prompt_token": 0.0}), HostWork(), HostWork(work, token, vector)
    queued = delays.request * delays.device_share
    left = {"request": delays.request - queued, "prompt_token": 0.0}
    return delays.model_copy(update=left), HostWork(queued, token, vector), HostWork()


def power_of(profiles: Profiles, spec: LLMBackends | EmbeddingBackends) -> Power | None:
    """What a backend's steps take of energy; None where its profile does not say."""
    if isinstance(spec, LLMBackends):
        return llm_profile(profiles, spec.profile).power
    return embedding_profile(profiles, spec.profile).power


def retrieval_profile(profiles: Profiles, name: str) -> RetrievalProfile:
    """The vector index of the profile of that name; ValueError if it has none."""
    part = profiles[name].retrieval
    if part is None:
        raise ValueError(f"profile {name!r} has no vector index")
    return part


def control_costs(profiles: Profiles, name: str) -> ControlCosts:
    """The control costs of the profile of that name; ValueError if it has none."""
    part = profiles[name].control
    if part is None:
        raise ValueError(f"profile {name!r} has no control costs")
    return part


def step_time(profile: LLMProfile) -> StepTime:
    """The fitted step time of a profile."""
    tables = profile.correction
    return StepTime(
        **profile.step_time.model_dump(),
        capture_sizes=tuple(sorted(profile.engine.cudagraph_capture_sizes)),
        decode_correction=correction(tables.decode),
        prefill_correction=correction(tables.prefill),
        mixed_correction=correction(tables.mixed),
    )


def host_time(profile: LLMProfile) -> HostTime | None:
    """What the engine's thread spends on steps; None where the profile does not tell it apart."""
    if profile.host_time is None:
        return None
    largest = max(profile.engine.cudagraph_capture_sizes, default=0)
    seconds = profile.host_time.model_dump(exclude={"residuals"})
    return HostTime(**seconds, largest_graph=largest)


def launch_residuals(profile: LLMProfile) -> Residuals:
    """What launches of graph pieces and kernels take, relative to the fitted time."""
    return profile.host_time.residuals if profile.host_time else []


def step_seconds(profile: LLMProfile) -> Callable[[Step], float]:
    """Seconds from step to step of an engine that has work all along."""
    gpu, host = step_time(profile), host_time(profile)
    if host is None:
        return gpu
    whole = host.period if profile.engine.async_scheduling else host.alone
    return lambda step: whole(step, gpu(step))


def frontend_costs(options: EngineOptions, profile: LLMProfile) -> FrontEndCosts | None:
    """The API server's costs, with the settings that the scenario gives it."""
    if profile.frontend is None:
        return None
    said = {"processes": options.api_server_count, "stream_interval": options.stream_interval}
    return profile.frontend.model_copy(update={key: value for key, value in said.items() if value})


def correction(table: Table) -> Correction:
    """The function that a table stands for."""
    return Correction(tuple(table.at), tuple(table.factor))


def embed_time(profile: EmbeddingProfile) -> EmbedTime:
    """The fitted batch time of a profile."""
    return EmbedTime(**profile.embed_time.model_dump())


def served_embed_time(profile: EmbeddingProfile) -> EmbedTime:
    """The batch time in a server, where one was measured."""
    time = embed_time(profile)
    extra = profile.serving.batch if profile.serving else 0.0
    return replace(time, constant=time.constant + extra) if extra else time


def search_time(profile: RetrievalProfile) -> SearchTime:
    """The fitted time of a look-up."""
    return SearchTime(**profile.search_time.model_dump(), marks=tuple(profile.concurrency))


def with_control_costs(scenario: ScenarioDocument, profiles: Profiles) -> ScenarioDocument:
    """The resolved scenario with the costs that its control plane does not say from its ``costs_profile``."""
    plane = scenario.control_plane
    if plane.costs_profile is None:
        return scenario
    costs = control_costs(profiles, plane.costs_profile)
    measured = {
        "hop_latency_ms": costs.hop * 1e3,
        "decision_cost_ms": costs.decision * 1e3,
        "message_cost_ms": costs.message * 1e3,
    }
    unsaid = {key: value for key, value in measured.items() if key not in plane.model_fields_set}
    return scenario.model_copy(update={"control_plane": plane.model_copy(update=unsaid)})


def scheduler_config(options: EngineOptions, profile: LLMProfile) -> SchedulerConfig:
    """The engine arguments of a replica: what the scenario says, else what the measured engine had."""
    facts = profile.engine
    return SchedulerConfig(
        max_num_batched_tokens=options.max_num_batched_tokens or facts.max_num_batched_tokens,
        max_num_seqs=options.max_num_seqs or facts.max_num_seqs,
        max_model_len=options.max_model_len or facts.max_model_len,
        num_gpu_blocks=options.num_gpu_blocks or facts.num_gpu_blocks,
        block_size=options.block_size or facts.block_size,
        enable_chunked_prefill=_said(options.enable_chunked_prefill, facts.enable_chunked_prefill),
        enable_prefix_caching=_said(options.enable_prefix_caching, facts.enable_prefix_caching),
        long_prefill_token_threshold=options.long_prefill_token_threshold,
        policy=options.scheduling_policy,
        watermark=options.watermark,
        scheduler_reserve_full_isl=options.scheduler_reserve_full_isl,
        async_scheduling=_said(options.async_scheduling, facts.async_scheduling),
    )


def block_size_of(scenario: ScenarioDocument, profiles: Profiles) -> int:
    """KV block size of the scenario's first LLM backends, which shared prefixes are counted in."""
    for spec in scenario.backends.values():
        if isinstance(spec, LLMBackends):
            return scheduler_config(spec.engine, llm_profile(profiles, spec.profile)).block_size
    return 1


def _said(option: bool | None, fact: bool) -> bool:
    return fact if option is None else option
