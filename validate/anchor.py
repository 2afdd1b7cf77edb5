"""anchor: fixed loads on the live engines between replays, which tell how fast the machine is just then.

A shared host makes a machine a tenth slower for minutes on end, which moves queueing latencies by more. The
loads are sent to the engines past the control plane, while no scenario is played: what they tell knows
nothing of the latencies that are judged. One is mostly what no step is without, the other mostly what grows
with a step's tokens, since what slows the one need not slow the other.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import aiohttp
import numpy as np
from scipy.optimize import lsq_linear

from calibration.backends.completions_client import wave
from calibration.backends.model_folder import made_up_words
from simcore.profile.slowed import Slowdown, slowed
from simcore.profile.use import Profiles
from simcore.scenario.document import ScenarioDocument
from validate.backends.launch import Launched
from validate.pace import Pace, pacings

WAVE_LIMIT = 60.0
FACTORS = (0.5, 2.0)
"""A machine that is twice as slow or as fast as it was is not the one that was calibrated."""
NEAR = 1e-3
"""Pulls to 1 what the loads leave open, and nothing else by more than a part in a hundred thousand."""


@dataclass(frozen=True, slots=True)
class Load:
    """``waves`` of requests, each of ``width`` at once; about as many tokens as ``words`` in a prompt."""

    waves: int
    width: int
    words: int
    output: int


LOADS = (Load(waves=3, width=8, words=64, output=48), Load(waves=2, width=16, words=128, output=2))


def anchor(document: ScenarioDocument, profiles: Profiles, running: Launched) -> Slowdown | None:
    """How many times longer the steps of engines on the CPU take now than by their profiles.

    None where no such engine was started here, or one of them does not answer.
    """
    try:
        paces = [list(_paces(load, document, profiles, running)) for load in LOADS]
    except (aiohttp.ClientError, OSError):
        return None
    return slowdown_of(paces) if all(paces) else None


def slowdown_of(loads: Sequence[Sequence[Pace]]) -> Slowdown:
    """What explains how long each load took: within FACTORS, and as near to 1 as that leaves open."""
    constant, whole, live = (
        np.array([sum(getattr(pace, part) for pace in paces) for paces in loads], dtype=np.float64)
        for part in ("constant", "profile", "live")
    )
    shares = np.column_stack([constant, whole - constant]) / whole[:, None]
    # Two loads that are alike, or a moment's noise in one of them, must not make a time negative.
    drawn, to_one = np.vstack([shares, NEAR * np.eye(2)]), np.zeros(2)
    least, most = FACTORS
    found = lsq_linear(drawn, np.append(live / whole - 1.0, to_one), bounds=(least - 1.0, most - 1.0))
    return Slowdown(*(float(1.0 + beyond) for beyond in found.x))


def at_pace(profiles: Profiles, by: Slowdown | None) -> Profiles:
    """The profiles of a CPU that takes so many times as long, if that is known; others stay."""
    if by is None:
        return profiles
    return {name: slowed(one, by) if one.on_cpu else one for name, one in profiles.items()}


def _paces(load: Load, document: ScenarioDocument, profiles: Profiles, running: Launched) -> Iterator[Pace]:
    words, draw = made_up_words(20_000), random.Random()  # noqa: S311
    for pacing in pacings(document, profiles, running):
        if not pacing.on_cpu:
            continue
        for _ in range(load.waves):
            prompts = [" ".join(draw.choices(words, k=load.words)) for _ in range(load.width)]
            asyncio.run(asyncio.wait_for(wave(pacing.url, prompts, load.output), WAVE_LIMIT))
        if (pace := pacing.pace()) is not None:
            yield pace
