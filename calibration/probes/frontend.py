"""frontend_probe: what a real server adds to the engine's steps, seen from both of its ends.

Two homes are kept apart. What the API server does before and after the engine adds latency and takes no
capacity; what makes the server's steps longer than the bare engine's takes capacity.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from calibration.campaign import Campaign, Records
from calibration.probes.sender import Sender
from calibration.probes.served_design import Load

GROUP = "frontend"
LENGTHS = (16, 64, 200, 500, 900)
"""Tokens per prompt of the waves of one request, about."""
CONCURRENCY = (1, 4, 16)
SHORT = 30
"""Waves of one short request and one token: the one step is so short that what is beside it shows."""


def wave(width: int, prompt: int, output: int) -> Load:
    """``width`` requests at once."""
    return Load(f"wave-{width}x{prompt}", ((prompt, output),) * width)


WARM_UP = [wave(width, 200, 8) for width in CONCURRENCY]
WAVES = [
    *(wave(1, prompt, 8) for prompt in LENGTHS for _ in range(3)),
    *(wave(1, LENGTHS[0], 1) for _ in range(SHORT)),
    *(wave(width, 48, 32) for width in CONCURRENCY for _ in range(2)),
]
"""Single requests of every length, short ones of one token, then several requests at once."""


def play_waves(sender: Sender) -> Records:
    """A record of each of the `WAVES`: its ``width``, streams, steps and processor seconds."""
    return [{"width": len(load.held), **sender.play(load)} for load in WAVES]


def waves_of(campaign: Campaign) -> Records:
    """The records of `play_waves` in a campaign, without those of other loads on the server."""
    return [record for record in campaign.records(GROUP) if "width" in record]


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
