"""power_probe: what the device draws at rest and while an embedding server works.

What it draws beside an LLM server's steps is in the records of `calibration.probes.served`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from calibration.campaign import Campaign, Records
from calibration.power_samples import AVERAGED, RAMP
from calibration.probes.embedding import Texts
from calibration.probes.embedding_server import Visit

GROUP = "power"
REST_S = 3.0
"""Seconds at rest, after those in which the device comes to it."""
EMBEDDING_S = 4.0
"""Seconds of each of the `LOADS` of an embedding server."""
LOADS: tuple[list[Texts], ...] = ([(64,) * 8] * 4, [(250,) * 8] * 4)
"""Requests at once, again and again."""


def probe_power(
    campaign: Campaign, anchor: Callable[[], float], share: tuple[float, float], visit: Visit | None = None
) -> None:
    """Measure all backends at rest, and the embedding server that ``visit`` sends to; group `GROUP`."""
    blocks: dict[str, Callable[[], Records]] = {f"{GROUP}/rest": lambda: _rest(campaign)}
    costs = {f"{GROUP}/rest": RAMP + REST_S}
    if visit is not None:
        blocks[f"{GROUP}/embedding"] = partial(_works, campaign, visit)
        costs[f"{GROUP}/embedding"] = EMBEDDING_S * len(LOADS)
    campaign.measure("what the device draws", blocks, anchor, share, costs)


def _rest(campaign: Campaign) -> Records:
    since = time.time() + RAMP
    time.sleep(RAMP + REST_S)
    return [campaign.drawn(since)]


def _works(campaign: Campaign, visit: Visit) -> Records:
    return [_work(campaign, visit, load) for load in LOADS]


def _work(campaign: Campaign, visit: Visit, load: list[Texts]) -> dict[str, Any]:
    """The batches that the server made of the load, over and over, and what it drew meanwhile."""
    since, waves = time.time(), list[dict[str, Any]]()
    while time.time() < since + EMBEDDING_S:
        waves.append(visit.wave(load))
    steps = [step for wave in waves for step in wave["steps"]]
    return {"length": load[0][0], "steps": steps, **campaign.drawn(since + AVERAGED)}
