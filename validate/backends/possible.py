"""Whether this machine can run the backends that a scenario describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from calibration.backends.server import ListeningProcess
from calibration.cores import Device
from calibration.errors import BackendMissing
from calibration.machine import gpu_name
from simcore.profile.use import Profiles
from simcore.request import Service
from simcore.scenario.cluster import EmbeddingBackends, LLMBackends
from simcore.scenario.places import Place

ELSE = "name running servers with --llm-url and --embedding-url"


@dataclass(frozen=True, slots=True)
class Backends:
    """Which servers to use: those running at ``urls`` for a service, else new ones.

    New embedding servers are sentence-transformers, or vLLM's with ``embed_with_vllm``. New LLM servers are
    emulated with ``emulate`` (`validate.emulate`).
    """

    urls: Mapping[Service, Sequence[str]]
    embed_with_vllm: bool = False
    emulate: bool = False
    kept: Sequence[ListeningProcess] = ()
    """Servers of the scenario's models that are used in place of new ones that would be like them."""


def service_of(place: Place) -> Service:
    """What the backend of a place answers."""
    if isinstance(place.spec, LLMBackends):
        return Service.LLM
    return Service.EMBEDDING if isinstance(place.spec, EmbeddingBackends) else Service.RETRIEVER


def measured_on(place: Place, profiles: Profiles) -> Device:
    """The kind of device that the backend's profile is of, the only one that it can be compared on."""
    return "cpu" if profiles[str(place.spec.profile)].on_cpu else "gpu"


def check_possible(missing: Sequence[Place], profiles: Profiles, backends: Backends) -> None:
    """Raise BackendMissing unless this machine can run all of them."""
    # An index is searched on the processor, whatever its profile is of.
    indexes = [place for place in missing if service_of(place) is Service.RETRIEVER]
    if indexes and find_spec("faiss") is None:
        raise BackendMissing(
            f"{_names(indexes)} cannot be started here: not installed: faiss; "
            "pip install 'simsage[retrieval]', or give service_time_ms"
        )
    served = [place for place in missing if place not in indexes]
    if several := [place for place in served if _api_servers(place) > 1]:
        raise _impossible(several, "engine.api_server_count is above 1, and a server started here has one")
    services = {service_of(place) for place in served}
    embeds = Service.EMBEDDING in services
    needed = {"vllm"} if Service.LLM in services or (embeds and backends.embed_with_vllm) else set()
    needed |= {"sentence_transformers"} if embeds else set()
    if absent := sorted(name for name in needed if find_spec(name) is None):
        raise _impossible(
            served, f"not installed: {', '.join(absent)}; pip install 'simsage[gpu,embed]' or [cpu,embed]"
        )
    real = [place for place in served if not (backends.emulate and service_of(place) is Service.LLM)]
    on_gpu = [place for place in real if measured_on(place, profiles) == "gpu"]
    if on_gpu and not gpu_name():
        raise _impossible(on_gpu, "their profiles are of a GPU, and there is none here")
    if len({place.device for place in on_gpu}) > 1:
        raise _impossible(on_gpu, "they are on several GPUs, which have to be given out by hand")


def _api_servers(place: Place) -> int:
    return (isinstance(place.spec, LLMBackends) and place.spec.engine.api_server_count) or 1


def _impossible(places: Sequence[Place], why: str) -> BackendMissing:
    return BackendMissing(f"{_names(places)} cannot be started here: {why}; or {ELSE}")


def _names(places: Sequence[Place]) -> str:
    return ", ".join(place.name for place in places)
