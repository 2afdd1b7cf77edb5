"""anchor: a fixed load on the live engines between replays, which tells how fast the machine is just then.

A shared host makes a machine a tenth slower for minutes on end, which moves queueing latencies by more. The
anchor is sent to the engines past the control plane, while no scenario is played: what it tells knows nothing
of the latencies that are judged.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import aiohttp

from calibration.backends.completions_client import wave
from calibration.backends.model_folder import made_up_words
from simcore.profile.slowed import slowed
from simcore.profile.use import Profiles
from simcore.scenario.document import ScenarioDocument
from validate.backends.launch import Launched
from validate.pace import Pace, pacings

WAVES = 3
WAVE_LIMIT = 60.0
WIDTH = 8
"""Requests of a wave, all at once."""
WORDS, OUTPUT = 64, 48
"""Words of a prompt, about as many tokens, and tokens of an answer."""


def anchor(document: ScenarioDocument, profiles: Profiles, running: Launched) -> float | None:
    """How many times longer the steps of engines on the CPU take now than by their profiles.

    None where no such engine was started here, or one of them does not answer.
    """
    try:
        paces = list(_paces(document, profiles, running))
    except (aiohttp.ClientError, OSError):
        return None
    if not paces:
        return None
    return sum(pace.live for pace in paces) / sum(pace.profile for pace in paces)


def at_pace(profiles: Profiles, factor: float | None) -> Profiles:
    """The profiles of a CPU that takes ``factor`` times as long, if that is known; others stay."""
    if factor is None:
        return profiles
    return {name: slowed(one, factor) if one.on_cpu else one for name, one in profiles.items()}


def _paces(document: ScenarioDocument, profiles: Profiles, running: Launched) -> Iterator[Pace]:
    words, draw = made_up_words(20_000), random.Random()  # noqa: S311
    for pacing in pacings(document, profiles, running):
        if not pacing.on_cpu:
            continue
        for _ in range(WAVES):
            prompts = [" ".join(draw.choices(words, k=WORDS)) for _ in range(WIDTH)]
            asyncio.run(asyncio.wait_for(wave(pacing.url, prompts, OUTPUT), WAVE_LIMIT))
        if (pace := pacing.pace()) is not None:
            yield pace
