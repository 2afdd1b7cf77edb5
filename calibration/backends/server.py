"""Server: vLLM's own OpenAI server, as a measured process."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path

from calibration.backends.engine_settings import Settings, command_line, server_settings
from calibration.backends.process import BackendProcess
from calibration.backends.worker import START_LIMIT
from calibration.cores import Device
from calibration.errors import BackendFailed

LOG_VARIABLE = "SIMSAGE_STEP_LOG"
"""Environment variable: the file that a server's steps are written to, one JSON object a line."""
MODULE = "vllm.entrypoints.openai.api_server"


class ListeningProcess(BackendProcess):
    """A process that answers HTTP at ``url`` once it has loaded."""

    url: str
    what = "the server"
    check = "/health"
    """The path that it answers while it is well."""
    steps: Path | None = None
    """The file that it writes its steps to (`calibration.backends.step_log`)."""

    def wait_ready(self, limit: float = START_LIMIT) -> None:
        """Return once the server answers; `BackendFailed` if it dies or does not within ``limit`` seconds."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if not self.alive:
                break
            try:
                with urllib.request.urlopen(f"{self.url}{self.check}", timeout=5):  # noqa: S310
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        state = "did not answer in time" if self.alive else "has died"
        raise BackendFailed(f"{self.what} {state}.\nThe end of {self.log}:\n{self.last_words()}")


class Server(ListeningProcess):
    """The server on a free port of this machine, serving under the name ``model``.

    With ``steps`` its scheduler writes each step there (`calibration.backends.seen_scheduler`).
    """

    what = "vLLM's server"

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
        self.steps = steps
        settings = settings | server_settings(device, settings)
        self.settings = settings
        super().__init__(
            MODULE,
            [
                *command_line(settings),
                *(seen_scheduler(settings) if steps else ()),
                *("--served-model-name", "model", "--host", "127.0.0.1", "--port", str(port)),
            ],
            cores=cores,
            env={**env, **server_env(device), **({LOG_VARIABLE: str(steps)} if steps else {})},
            log=log,
        )


def server_env(device: Device) -> dict[str, str]:
    """What makes vLLM's CPU platform accept the executor of `server_settings`."""
    return {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"} if device == "cpu" else {}


def seen_scheduler(settings: Settings) -> list[str]:
    """The flags that plug in the scheduler which tells its steps, of the kind that the engine needs."""
    kind = "SeenAsyncScheduler" if settings.get("async_scheduling") else "SeenScheduler"
    return ["--scheduler-cls", f"calibration.backends.seen_scheduler.{kind}"]


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
