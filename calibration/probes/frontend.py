"""frontend_probe: what a real server adds to the engine's steps, seen from both of its ends.

Two homes are kept apart. What the API server does before and after the engine adds latency and takes no
capacity; what makes the server's steps longer than the bare engine's takes capacity.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from calibration.backends.engine_settings import engine_settings
from calibration.backends.model_folder import made_up_words
from calibration.backends.process import BackendProcess
from calibration.backends.server import Server
from calibration.backends.step_log import StepLog
from calibration.backends.worker import Worker
from calibration.campaign import Campaign, Records
from calibration.probes.engine import anchor_seconds
from calibration.probes.rest import REST

GROUP = "frontend"
WAVE_LIMIT = 120.0
LENGTHS = (16, 64, 200, 500, 900)
"""Words per prompt of the waves of one request, about as many tokens."""
CONCURRENCY = (1, 4, 16)
SHORT = 30
"""Waves of one short request and one token: the one step is so short that what is beside it shows."""


def probe_frontend(campaign: Campaign, engine: Worker, model: Path, share: tuple[float, float]) -> None:
    """Measure a server beside the waiting in-process engine; group ``frontend``."""
    names = [f"{GROUP}/{number}" for number in range(max(2, campaign.repetitions - 1))]
    if all(name in campaign.store for name in names):
        return
    start, end = share
    campaign.progress("starting a server", start)
    steps = campaign.folder / f"server-steps-{time.monotonic_ns()}.jsonl"
    with start_server(campaign, model, steps) as server:
        server.wait_ready()
        client = Worker(
            "calibration.backends.completions_client",
            {"url": server.url},
            cores=campaign.cores.clients,
            env={},
            log=campaign.folder / "client.log",
        )
        with client:
            client.ready()
            waves = Waves(client, server, steps, REST[campaign.device])
            waves.warm_up()
            campaign.measure(
                "server overheads",
                dict.fromkeys(names, waves.all),
                lambda: anchor_seconds(engine, campaign.device),
                ((start + end) / 2, end),
            )


def start_server(campaign: Campaign, model: Path, steps: Path | None = None) -> Server:
    """vLLM's server on the campaign's device, with the engine's own settings."""
    return Server(
        engine_settings(campaign.device, model),
        campaign.device,
        cores=campaign.cores.backend,
        env=campaign.env,
        log=campaign.folder / "server.log",
        steps=steps,
    )


class Waves:
    """Sends waves of requests and pairs them with the steps that the ``server`` made of them.

    The server rests for ``rest`` seconds before each.
    """

    def __init__(self, client: Worker, server: BackendProcess, steps: Path, rest: float) -> None:
        self.client = client
        self._server = server
        self._rest = rest
        self._steps = StepLog(steps)
        self._words = made_up_words(20_000)
        self._draw = random.Random(0)  # noqa: S311

    def warm_up(self) -> None:
        """Requests that do not count: cold ones are slower."""
        for width in CONCURRENCY:
            self.wave(width, 200, 8)

    def all(self) -> Records:
        """Single requests of every length, short ones of one token, then several requests at once."""
        single = [self.wave(1, words, 8) for words in LENGTHS for _ in range(3)]
        single += [self.wave(1, LENGTHS[0], 1) for _ in range(SHORT)]
        return [*single, *(self.wave(width, 48, 32) for width in CONCURRENCY for _ in range(2))]

    def wave(self, width: int, words: int, output: int) -> dict[str, Any]:
        """``width`` requests at once; their streams, the server's steps meanwhile and what it computed."""
        self._steps.new()
        time.sleep(self._rest)
        prompts = [" ".join(self._draw.choices(self._words, k=words)) for _ in range(width)]
        before = self._server.processor_seconds()
        streams = self.client.ask({"prompts": prompts, "output": output}, WAVE_LIMIT)["streams"]
        cpu = self._server.processor_seconds() - before
        return {"width": width, "streams": streams, "steps": self._steps.new(), "cpu": cpu}


def periods(steps: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], float]]:
    """Each step with the seconds from the end of the one before to its own.

    Only where the engine had work all along: after an idle gap the time would hold the waiting. From end to
    end, since with async scheduling a step is decided on while the one before still computes.
    """
    return [
        (step["step"], step["updated"] - before["updated"])
        for before, step in pairwise(steps)
        if before["busy"]
    ]
