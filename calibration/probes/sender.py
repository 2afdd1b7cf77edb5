"""Sender: plays loads on a real server and keeps their streams with the steps that the engine made."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any, cast

from calibration.backends.model_folder import made_up_words
from calibration.backends.process import BackendProcess
from calibration.backends.step_log import StepLog
from calibration.backends.worker import Worker
from calibration.campaign import Campaign, Records
from calibration.power_samples import AVERAGED
from calibration.probes.rest import REST
from calibration.probes.served_design import Asked, Load

PATIENCE = 120.0
SLOWEST = 0.02
SLOWEST_STEP = 2.0
"""Seconds of a prompt token and of a step: a server that needs longer is taken to hang."""


class Sender:
    """Makes prompts of known length for the ``server`` and has the ``client`` send them.

    The server rests before each load (`calibration.probes.rest`).
    """

    def __init__(self, client: Worker, server: BackendProcess, steps: Path, campaign: Campaign) -> None:
        self._client = client
        self._server = server
        self._rest = REST[campaign.device]
        self._within = campaign.within
        self._drawn = campaign.drawn
        self._steps = StepLog(steps)
        self._words = made_up_words(20_000)
        self._draw = random.Random(0)  # noqa: S311
        self._tokens_a_word = 1.0

    def warm_up(self, loads: list[Load]) -> None:
        """Play loads that do not count: cold ones are slower. The first tells how many tokens words have."""
        first = cast(Records, self.play(loads[0])["streams"])
        self._tokens_a_word = first[0]["prompt_tokens"] / loads[0].held[0][0]
        for load in loads[1:]:
            self.play(load)

    def play(self, load: Load) -> dict[str, Any]:
        """The load's streams, the server's steps meanwhile and what the server's processes computed.

        And what the device drew, once all that it did in the second before is among the steps.
        """
        self._steps.new()
        known = time.time() + AVERAGED
        time.sleep(self._rest)
        question = {
            "held": [self._asked(asked) for asked in load.held],
            "then": [[self._asked(asked) for asked in group] for group in load.then],
            "gap": load.gap,
        }
        limit = PATIENCE + SLOWEST * load.prompt_tokens + SLOWEST_STEP * load.steps
        before = self._server.processor_seconds()
        streams = self._client.ask(question, self._within(limit))["streams"]
        cpu = self._server.processor_seconds() - before
        return {"streams": streams, "steps": self._steps.new(), "cpu": cpu, **self._drawn(known)}

    def _asked(self, asked: Asked) -> tuple[str, int]:
        tokens, output = asked
        words = max(1, round(tokens / self._tokens_a_word))
        return " ".join(self._draw.choices(self._words, k=words)), output
