"""Server: vLLM's own OpenAI server, as a measured process."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

from calibration.campaign import Campaign
from calibration.cores import Device
from calibration.engine_probe import engine_settings
from calibration.errors import BackendFailed
from calibration.process import BackendProcess
from calibration.worker import START_LIMIT

MODULE = "vllm.entrypoints.openai.api_server"


class Server(BackendProcess):
    """The server on a free port of this machine, writing its steps to ``steps``; served model ``model``."""

    def __init__(self, campaign: Campaign, model: Path, steps: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        arguments = [
            *command_line(engine_settings(campaign.device, model) | server_settings(campaign.device)),
            *("--scheduler-cls", "calibration.seen_scheduler.SeenScheduler"),
            *("--served-model-name", "model", "--host", "127.0.0.1", "--port", str(port)),
        ]
        super().__init__(
            MODULE,
            arguments,
            cores=campaign.cores.backend,
            env=campaign.env | server_env(campaign.device) | {"SIMSAGE_STEP_LOG": str(steps)},
            log=campaign.folder / "server.log",
        )

    def wait_ready(self, limit: float = START_LIMIT) -> None:
        """Return once the server answers; `BackendFailed` if it dies or does not within ``limit`` seconds."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if not self.alive:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):  # noqa: S310
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        what = "did not answer in time" if self.alive else "has died"
        raise BackendFailed(f"vLLM's server {what}. The end of {self.log}:\n{self.last_words()}")


def server_settings(device: Device) -> dict[str, object]:
    """On the CPU the engine's process computes too.

    vLLM's default there is a worker process of its own, for whose answer the engine spins without sleeping:
    on one core that halves the worker's speed, on two it takes the second one from everybody else.
    """
    return {"distributed_executor_backend": "uni"} if device == "cpu" else {}


def server_env(device: Device) -> dict[str, str]:
    """What makes vLLM's CPU platform accept the executor of `server_settings`."""
    return {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"} if device == "cpu" else {}


def command_line(settings: dict[str, object]) -> list[str]:
    """Engine arguments as the server's flags."""
    flags: list[str] = []
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            flags += [f"--{flag}", str(value)]
    return flags


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
