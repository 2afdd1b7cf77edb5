"""GatewayProcess: a scenario's gateway in a process of its own, as a live run needs it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from calibration.backends.server import ListeningProcess, free_port
from simcore.profile.use import Profiles
from simcore.scenario.document import ScenarioDocument
from validate.live.plane import Address


class GatewayProcess(ListeningProcess):
    """The control plane of a resolved scenario over backends at their addresses, on a free local port,
    on the cores of this process.

    What it is told and what it prints is in ``work``.
    """

    module = "validate.gateway.worker"
    what = "the gateway"
    check = "/v1/models"
    """Its ``/health`` is that of its backends."""

    def __init__(
        self,
        scenario: ScenarioDocument,
        profiles: Profiles,
        addresses: Mapping[str, Address],
        work: Path,
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        told = work / "gateway.json"
        settings = {
            "scenario": scenario.model_dump(mode="json", exclude_unset=True),
            "profiles": {name: profile.to_json() for name, profile in profiles.items()},
            "addresses": {name: list(address) for name, address in addresses.items()},
            "port": port,
        }
        told.write_text(json.dumps(settings), encoding="utf-8")
        self._told = told
        self._start(work / "gateway.log")

    def restart(self) -> None:
        """Start it again on the same port once it has died; it does not answer yet."""
        self.stop()
        self._start(self.log)

    def _start(self, log: Path) -> None:
        super().__init__(self.module, [str(self._told)], cores=os.sched_getaffinity(0), env={}, log=log)
