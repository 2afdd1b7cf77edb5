"""Server: vLLM's own OpenAI server, as a measured process."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path

from calibration.backends.engine_settings import Settings, command_line
from calibration.backends.process import BackendProcess
from calibration.backends.worker import START_LIMIT
from calibration.cores import Device
from calibration.errors import BackendFailed

LOG_VARIABLE = "SIMSAGE_STEP_LOG"
"""As in `calibration.backends.seen_scheduler`, which needs vLLM to be imported."""
MODULE = "vllm.entrypoints.openai.api_server"


class Server(BackendProcess):
    """The server on a free port of this machine, serving under the name ``model``.

    With ``steps`` its scheduler writes each step there (`calibration.backends.seen_scheduler`).
    """

    def __init__(
        self,
        settings: Settings,
        device: Device,
        *,
        cores: Iterable[int],
        env: Mapping[str, str],
        log: Path,
        steps: Path | None = None,
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        seen = ["--scheduler-cls", "calibration.backends.seen_scheduler.SeenScheduler"] if steps else []
        super().__init__(
            MODULE,
            [
                *command_line(settings | server_settings(device)),
                *seen,
                *("--served-model-name", "model", "--host", "127.0.0.1", "--port", str(port)),
            ],
            cores=cores,
            env={**env, **server_env(device), **({LOG_VARIABLE: str(steps)} if steps else {})},
            log=log,
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


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
