"""engine_probe: what each step of a real vLLM engine costs, over a design of scenes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, cast

from calibration.backends.engine_settings import engine_settings
from calibration.backends.worker import Worker
from calibration.campaign import LEFT_OUT, Campaign, Records
from calibration.cores import Device
from calibration.probes.design import ANCHOR, Scene, ordered, prefill
from calibration.probes.room import Room
from calibration.probes.samples import Sample, undisturbed
from calibration.probes.worth import blocked

GROUP = "llm"
BLOCK_TOKENS = 16_000
"""Work between two anchors: several seconds of a slow core."""
PATIENCE = 30.0
SLOWEST = 0.02
"""Seconds a token of a scene: an engine that needs longer is taken to hang."""


def start_engine(campaign: Campaign, model: Path, share: float) -> Worker:
    """The engine in a worker of its own, with that share of a GPU's memory; ``ready()`` gives its facts."""
    return Worker(
        "calibration.backends.engine_worker",
        engine_settings(campaign.device, model, share) | {"skip_tokenizer_init": True},
        cores=campaign.cores.backend,
        env=campaign.env | {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"},
        log=campaign.folder / "engine.log",
    )


def limit_of(scene: Scene) -> float:
    """Seconds without an answer after which the engine is taken to hang."""
    return PATIENCE + SLOWEST * scene.tokens


def play(engine: Worker, scene: Scene, limit: float | None = None) -> Records:
    """The timed steps of one pass; `BackendFailed` after ``limit`` seconds without an answer (`limit_of`)."""
    limit = limit_of(scene) if limit is None else limit
    steps = cast(list[dict[str, Any]], engine.ask({"do": "play", "scene": scene.to_json()}, limit)["steps"])
    return [{"scene": scene.name, "held_out": scene.held_out, **step} for step in steps]


def anchor_seconds(engine: Worker, device: Device) -> float:
    """The median step of the anchor scene, in seconds."""
    steps = [step for step in play(engine, ANCHOR) if step["label"].startswith("decode")]
    return median(undisturbed([Sample(step["seconds"], step["cpu"]) for step in steps], device))


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of a small step and of a token of a prompt, to guess from what a piece of work will take."""

    step: float
    token: float

    def seconds(self, steps: int, prompt_tokens: int) -> float:
        """Of so many decode steps and prompt tokens, about."""
        return self.step * steps + self.token * prompt_tokens


def pace_of(engine: Worker) -> Pace:
    """From the anchor scene."""
    steps = play(engine, ANCHOR)
    decodes = [step["seconds"] for step in steps if step["label"].startswith("decode")]
    prompts = sum(step["seconds"] for step in steps if step["label"].startswith("ramp"))
    return Pace(median(decodes), prompts / ANCHOR.prompt_tokens)


def warm_up(engine: Worker) -> None:
    """Touch all memory and code once: cold steps are many times slower."""
    for scene in (prefill(2040), prefill(512, 512), ANCHOR, ANCHOR):
        play(engine, scene)


def probe_engine(
    campaign: Campaign,
    engine: Worker,
    design: Sequence[Scene],
    room: Room,
    pace: Pace,
    share: tuple[float, float],
) -> None:
    """Measure every scene ``campaign.repetitions`` times, in a new order each time; group `GROUP`.

    Scenes that the engine has no room for are left out, which a note says.
    """
    blocks = engine_blocks(design, room, campaign.repetitions)
    if impossible := sorted(scene.name for scene in design if not scene.fits(room)):
        campaign.notes.append(
            f"{LEFT_OUT}for want of KV cache or slots ({room.tokens} tokens, {room.max_num_seqs} requests): "
            f"{', '.join(impossible)}"
        )
    campaign.measure(
        "engine steps",
        {name: partial(_play_all, campaign, engine, scenes) for name, scenes in blocks.items()},
        lambda: anchor_seconds(engine, campaign.device),
        share,
        {
            name: sum(pace.seconds(scene.steps, scene.prompt_tokens) for scene in scenes)
            for name, scenes in blocks.items()
        },
    )


def engine_blocks(design: Sequence[Scene], room: Room, repetitions: int) -> dict[str, list[Scene]]:
    """Scenes by block: first all in order of their worth, then all again in new orders each time.

    A block's number does not depend on the ``room``, so that a store of an engine with less can be resumed.
    """
    blocks = {
        f"{GROUP}/{repetition}-{index}": [scene for scene in scenes if scene.fits(room)]
        for repetition in range(repetitions)
        for index, scenes in enumerate(_blocks(design, repetition))
    }
    return {name: scenes for name, scenes in blocks.items() if scenes}


def _play_all(campaign: Campaign, engine: Worker, scenes: list[Scene]) -> Records:
    return [step for scene in scenes for step in play(engine, scene, campaign.within(limit_of(scene)))]


def _blocks(design: Sequence[Scene], repetition: int) -> list[list[Scene]]:
    """The scenes in this repetition's order, cut where a block has enough work."""
    shuffled = random.Random(repetition).sample(list(design), len(design))  # noqa: S311
    scenes = shuffled if repetition else ordered(design)
    return blocked(scenes, lambda scene: scene.tokens, BLOCK_TOKENS)
