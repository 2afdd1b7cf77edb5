"""kept: servers that are running already and are what a place would start anew."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from calibration.backends.embedding_server import EmbeddingServer
from calibration.backends.engine_settings import Settings, server_settings
from calibration.backends.server import ListeningProcess, Server
from calibration.cores import Cores
from simcore.profile.use import Profiles, llm_profile
from simcore.scenario.cluster import EmbeddingBackends, LLMBackends
from simcore.scenario.places import Place
from validate.backends.possible import measured_on
from validate.backends.processes import llm_settings

DEFAULTS: Settings = {"scheduling_policy": "fcfs"}
"""Of vLLM, for what a calibration does not set."""
ANY = {"gpu_memory_utilization"}
"""What may differ: the blocks of the KV cache are given."""


def kept_server(
    place: Place, profiles: Profiles, servers: Iterable[ListeningProcess], cores: Cores
) -> ListeningProcess | None:
    """The first of the ``servers`` that is what would be started for ``place``, on the same cores.

    They have to be of the model that the place's profile is of.
    """
    for server in servers:
        bound = server.alive and os.sched_getaffinity(server.process.pid) == cores.backend
        if bound and _alike(server, place, profiles):
            return server
    return None


def _alike(server: ListeningProcess, place: Place, profiles: Profiles) -> bool:
    if isinstance(place.spec, EmbeddingBackends):
        return isinstance(server, EmbeddingServer) and server.window == place.spec.batching.window
    if isinstance(place.spec, LLMBackends):
        return isinstance(server, Server) and _schedules_alike(place.spec, place, profiles, server)
    return False


def _schedules_alike(spec: LLMBackends, place: Place, profiles: Profiles, server: Server) -> bool:
    device, model = measured_on(place, profiles), Path(str(server.settings["model"]))
    wanted = llm_settings(spec.engine, llm_profile(profiles, spec.profile), device, model)
    wanted |= server_settings(device, wanted)
    has = DEFAULTS | server.settings
    return all(has.get(name) == value for name, value in wanted.items() if name not in ANY)
