"""The processes of the gateway's benchmark and their cores: the gateway has the first core for itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway_stub import StubProcess

from calibration.cores import Cores
from simcore.profile.load import load_profile
from simcore.scenario.document import ScenarioDocument
from validate.backends.processes import start_one
from validate.gateway.process import GatewayProcess
from validate.live.plane import Address, live_places

LLM, EMBEDDER = "cpu-qwen2-11m", "cpu-qwen2-40m"
"""Profiles that name the models; no time of theirs is used."""
SCENARIO = ScenarioDocument.model_validate(
    {
        "schema_version": 1,
        "name": "gateway",
        "duration_s": 1.0,
        "streams": {
            "load": {
                "kind": "chat",
                "arrivals": {"process": "poisson", "rate": 1.0},
                "prompt_tokens": {"distribution": "constant", "value": 64.0},
                "output_tokens": {"distribution": "constant", "value": 16.0},
            }
        },
        "backends": {
            "llm": {"kind": "llm", "profile": LLM},
            "embedding": {"kind": "embedding", "profile": EMBEDDER},
        },
    }
)
PROFILES = {name: load_profile(name, Path()) for name in (LLM, EMBEDDER)}


@dataclass(frozen=True, slots=True)
class Served:
    """A gateway at ``url`` in front of the backend at ``direct``."""

    url: str
    direct: str
    process: GatewayProcess

    @property
    def peak_memory(self) -> float:
        """MiB that the gateway's process has held at most."""
        status = Path(f"/proc/{child_of(self.process.process.pid)}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def stub(cores: Cores) -> Iterator[str]:
    """The URL of a stub."""
    with (
        TemporaryDirectory(prefix="simsage-stub-") as work,
        StubProcess(cores.backend, Path(work) / "log") as process,
    ):
        process.wait_ready()
        yield process.url


@contextmanager
def vllm(cores: Cores) -> Iterator[str]:
    """The URL of a real vLLM server with dummy weights of a tiny model. Raises `BackendFailed`."""
    place = live_places(SCENARIO)[0]
    with (
        TemporaryDirectory(prefix="simsage-vllm-") as work,
        start_one(place, PROFILES, cores, Path(work), embed_with_vllm=False) as process,
    ):
        process.wait_ready()
        yield process.url


@contextmanager
def gateway(direct: str, cores: Cores, kind: type[GatewayProcess] = GatewayProcess) -> Iterator[Served]:
    """What `simsage serve` runs, in front of that backend; this process is on the backend's cores then."""
    allowed = os.sched_getaffinity(0)
    addresses = {place.name: Address(direct, "model") for place in live_places(SCENARIO)}
    with TemporaryDirectory(prefix="simsage-gateway-") as work:
        os.sched_setaffinity(0, cores.clients)
        with kind(SCENARIO, PROFILES, addresses, Path(work)) as process:
            os.sched_setaffinity(0, cores.backend)
            try:
                process.wait_ready()
                yield Served(process.url, direct, process)
            finally:
                os.sched_setaffinity(0, allowed)


def child_of(pid: int) -> int:
    """The only child of a process: a backend's own is below its leash."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())
