"""engine_probe: what each step of a real vLLM engine costs, over a design of scenes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, cast

from calibration.backends.engine_settings import engine_settings
from calibration.backends.worker import Worker
from calibration.campaign import Campaign, Records
from calibration.cores import Device
from calibration.probes.design import ANCHOR, Scene, prefill
from calibration.probes.samples import Sample, undisturbed

GROUP = "llm"
BLOCK_TOKENS = 16_000
"""Work between two anchors: several seconds of a slow core."""
PATIENCE = 30.0
SLOWEST = 0.02
"""Seconds a token of a scene: an engine that needs longer is taken to hang."""


def start_engine(campaign: Campaign, model: Path) -> Worker:
    """The engine in a worker of its own; ask it for its facts with ``ready()``."""
    return Worker(
        "calibration.backends.engine_worker",
        engine_settings(campaign.device, model) | {"skip_tokenizer_init": True},
        cores=campaign.cores.backend,
        env=campaign.env | {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"},
        log=campaign.folder / "engine.log",
    )


def play(engine: Worker, scene: Scene) -> Records:
    """The timed steps of one pass through a scene."""
    limit = PATIENCE + SLOWEST * scene.tokens
    steps = cast(list[dict[str, Any]], engine.ask({"do": "play", "scene": scene.to_json()}, limit)["steps"])
    return [{"scene": scene.name, "held_out": scene.held_out, **step} for step in steps]


def anchor_seconds(engine: Worker, device: Device) -> float:
    """The median step of the anchor scene, in seconds."""
    steps = [step for step in play(engine, ANCHOR) if step["label"].startswith("decode")]
    return median(undisturbed([Sample(step["seconds"], step["cpu"]) for step in steps], device))


def warm_up(engine: Worker) -> None:
    """Touch all memory and code once: cold steps are many times slower."""
    for scene in (prefill(2040), prefill(512, 512), ANCHOR, ANCHOR):
        play(engine, scene)


def probe_engine(
    campaign: Campaign, engine: Worker, design: Sequence[Scene], share: tuple[float, float]
) -> None:
    """Measure every scene ``campaign.repetitions`` times, in a new order each time; group `GROUP`."""
    blocks = {
        f"{GROUP}/{repetition}-{index}": partial(_play_all, engine, scenes)
        for repetition in range(campaign.repetitions)
        for index, scenes in enumerate(_blocks(design, repetition))
    }
    campaign.measure("engine steps", blocks, lambda: anchor_seconds(engine, campaign.device), share)


def _play_all(engine: Worker, scenes: list[Scene]) -> Records:
    return [step for scene in scenes for step in play(engine, scene)]


def _blocks(design: Sequence[Scene], repetition: int) -> list[list[Scene]]:
    """The scenes in this repetition's order, cut where a block has enough work."""
    scenes = random.Random(repetition).sample(list(design), len(design))  # noqa: S311
    blocks: list[list[Scene]] = [[]]
    for scene in scenes:
        if blocks[-1] and sum(s.tokens for s in blocks[-1]) + scene.tokens > BLOCK_TOKENS:
            blocks.append([])
        blocks[-1].append(scene)
    return blocks
