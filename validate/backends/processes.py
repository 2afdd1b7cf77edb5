"""The processes behind a live cluster: how each backend of a scenario is started."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

from calibration.backends.backend_env import backend_env
from calibration.backends.embedding_model import find_embedding_model
from calibration.backends.embedding_server import EmbeddingServer
from calibration.backends.engine_settings import Settings, engine_settings, pooling_settings
from calibration.backends.model_folder import find_model
from calibration.backends.server import ListeningProcess, Server, free_port
from calibration.cores import Cores, Device
from calibration.probes.retrieval import design_of
from simcore.profile.document import ProfileDocument
from simcore.profile.llm import LLMProfile
from simcore.profile.retrieval import RetrievalProfile
from simcore.profile.use import (
    Profiles,
    embedding_profile,
    llm_profile,
    retrieval_profile,
    scheduler_config,
)
from simcore.scenario.cluster import (
    EngineOptions,
    LLMBackends,
    RetrieverBackends,
)
from simcore.scenario.places import Place
from validate.backends.possible import measured_on
from validate.emulate.server import executor_settings, served_model


def llm_settings(options: EngineOptions, profile: LLMProfile, device: Device, model: Path) -> Settings:
    """vLLM's arguments that make the server schedule as the simulated replica does.

    What vLLM's releases before 0.19 do not know is passed only where it is not the default.
    """
    config = scheduler_config(options, profile)
    settings = engine_settings(device, model) | {
        "max_num_batched_tokens": config.max_num_batched_tokens,
        "max_num_seqs": config.max_num_seqs,
        "max_model_len": config.max_model_len,
        "block_size": config.block_size,
        "num_gpu_blocks_override": config.num_gpu_blocks,
        "enable_chunked_prefill": config.enable_chunked_prefill,
        "enable_prefix_caching": config.enable_prefix_caching,
        "scheduling_policy": config.policy,
    }
    if config.long_prefill_token_threshold:
        settings["long_prefill_token_threshold"] = config.long_prefill_token_threshold
    if config.watermark:
        settings["watermark"] = config.watermark
    if not config.scheduler_reserve_full_isl:
        settings["scheduler_reserve_full_isl"] = False
    if options.stream_interval:
        settings["stream_interval"] = options.stream_interval
    return settings


def start_one(
    place: Place,
    profiles: Profiles,
    cores: Cores,
    work: Path,
    *,
    embed_with_vllm: bool,
    emulate: bool = False,
) -> ListeningProcess:
    """The server of a place, with a log in ``work``; it is not ready yet."""
    device, log = measured_on(place, profiles), work / f"{place.name}.log"
    if isinstance(place.spec, LLMBackends):
        if emulate:
            return start_emulated(place.spec, profiles[place.spec.profile], cores, log)
        return start_llm(place.spec, llm_profile(profiles, place.spec.profile), device, cores, log)
    if isinstance(place.spec, RetrieverBackends):
        index = retrieval_profile(profiles, str(place.spec.profile))
        return RetrievalService(index, place.spec.concurrency, cores, log)
    profile = embedding_profile(profiles, place.spec.profile)
    model = find_embedding_model(profile.model, work)
    if not embed_with_vllm:
        return EmbeddingServer(model, place.spec.batching.window, device, cores=cores.backend, log=log)
    settings = pooling_settings(device, model)
    return Server(settings, device, cores=cores.backend, env=backend_env(device, cores.backend), log=log)


def start_llm(
    spec: LLMBackends, profile: LLMProfile, device: Device, cores: Cores, log: Path
) -> ListeningProcess:
    """A vLLM server with dummy weights of the profile's model, which logs its steps beside ``log``."""
    model = find_model(profile.model, log.parent)
    settings = llm_settings(spec.engine, profile, device, model)
    env, steps = backend_env(device, cores.backend), log.with_suffix(f".{time.monotonic_ns()}.steps.jsonl")
    return Server(settings, device, cores=cores.backend, env=env, log=log, steps=steps)


def start_emulated(spec: LLMBackends, profile: ProfileDocument, cores: Cores, log: Path) -> ListeningProcess:
    """A vLLM server that waits the profile's step times. ValueError if it has no LLM."""
    if profile.llm is None:
        raise ValueError(f"profile {profile.name!r} has no LLM")
    settings = llm_settings(spec.engine, profile.llm, "cpu", served_model(log.parent))
    settings |= executor_settings(
        profile, scheduler_config(spec.engine, profile.llm), log.with_suffix(".profile.json")
    )
    return Server(settings, "cpu", cores=cores.backend, env=backend_env("cpu", [0]), log=log)


class RetrievalService(ListeningProcess):
    """`validate.backends.retrieval_service` over an index like the measured one."""

    what = "the retriever"

    def __init__(self, profile: RetrievalProfile, concurrency: int, cores: Cores, log: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = {"index": asdict(design_of(profile)), "concurrency": concurrency, "port": port}
        module = "validate.backends.retrieval_service"
        # Each thread searches with one thread, as it did when the index was measured.
        env = backend_env("cpu", cores.backend) | {"OMP_NUM_THREADS": "1"}
        super().__init__(module, [json.dumps(settings)], cores=cores.backend, env=env, log=log)
