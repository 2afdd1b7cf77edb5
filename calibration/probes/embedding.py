"""embedding_probe: what each batch of a real embedding model costs, over batch sizes and lengths."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import Any, cast

from calibration.backends.embedding_model import EmbeddingModel
from calibration.backends.worker import Worker
from calibration.campaign import Campaign, Records
from calibration.cores import Device
from calibration.probes.rest import REST
from calibration.probes.samples import Sample, undisturbed
from calibration.probes.worth import blocked, by_worth

GROUP = "embedding"
ANCHOR = (32,) * 8
BATCH_LIMIT = 120.0
MOST_TOKENS: dict[Device, tuple[int, int]] = {"cpu": (2048, 8192), "gpu": (32_768, 131_072)}
"""Padded tokens of the largest batch, of the quick and of the full design."""
BLOCK_TOKENS: dict[Device, int] = {"cpu": 8000, "gpu": 250_000}
"""Padded tokens between two anchors."""
LENGTHS = (8, 16, 32, 64, 128, 250, 500, 1000, 2000, 4000, 8000)
RAGGED: tuple[tuple[int, ...], ...] = (
    (8, 8, 8, 120),
    (16, 16, 200),
    (10, 20, 40, 80, 160),
    (8,) * 15 + (100,),
)
UNSEEN: tuple[tuple[int, ...], ...] = (
    *((48,) * 3, (100,) * 6, (24,) * 12, (200,) * 2, (12, 30, 90, 150), (90,), (20,) * 20),
    *((400,) * 2, (300, 350, 450), (700,), (1500,), (3000,), (6000,)),
)

Texts = tuple[int, ...]
Design = Sequence[tuple[Texts, bool]]


def embedding_design(quick: bool, max_tokens: int = 256, device: Device = "cpu") -> Design:
    """Batches as token lengths, and whether the fit must not see them; some pad short texts to a long one.

    No text exceeds ``max_tokens``, no batch the tokens of `MOST_TOKENS`. A GPU gets larger batches too.
    """
    most = MOST_TOKENS[device][0 if quick else 1]
    batches = (1, 2, 8, 32) if quick else (1, 2, 4, 8, 16, 32, 64)
    if device == "gpu":
        batches = (*batches, 128, 256)
    seen = (*((n,) * b for b in batches for n in LENGTHS), *RAGGED)
    every = [(texts, False) for texts in seen] + [(texts, True) for texts in UNSEEN]
    return [(t, unseen) for t, unseen in every if max(t) <= max_tokens and len(t) * max(t) <= most]


def start_embedding(campaign: Campaign, model: EmbeddingModel) -> Worker:
    """The model in a worker of its own, on an explicit device; ask it for its facts with ``ready()``.

    On the CPU it has a torch thread for each of the campaign's backend cores.
    """
    on_cpu = campaign.device == "cpu"
    return Worker(
        "calibration.backends.embedding_worker",
        {
            "folder": str(model.folder),
            "dtype": model.dtype,
            "device": "cpu" if on_cpu else "cuda",
            "threads": len(campaign.cores.backend) if on_cpu else 0,
            "rest": REST[campaign.device],
        },
        cores=campaign.cores.backend,
        env=campaign.env,
        log=campaign.folder / "embedding.log",
    )


def encode(worker: Worker, texts: Texts, held_out: bool = False) -> dict[str, Any]:
    """One timed batch."""
    timing = worker.ask({"do": "encode", "texts": list(texts)}, BATCH_LIMIT)
    return {"texts": list(texts), "held_out": held_out, **timing}


def probe_embedding(campaign: Campaign, worker: Worker, design: Design, share: tuple[float, float]) -> None:
    """Measure every batch ``campaign.repetitions`` times; group ``embedding``.

    First all in order of their worth, then all again in new orders each time.
    """
    encode(worker, ANCHOR)
    seconds_a_token = embedding_anchor(campaign, worker) / _tokens(ANCHOR)
    blocks = embedding_blocks(design, campaign)
    campaign.measure(
        "embedding batches",
        {name: partial(_pass, worker, batches) for name, batches in blocks.items()},
        lambda: embedding_anchor(campaign, worker),
        share,
        # Once cold, then twice over.
        {n: seconds_a_token * sum(3 * _tokens(t) for t, _ in batches) for n, batches in blocks.items()},
    )


def embedding_blocks(design: Design, campaign: Campaign) -> dict[str, Design]:
    """Batches by block, each of about `BLOCK_TOKENS`."""
    most = BLOCK_TOKENS[campaign.device]
    return {
        f"{GROUP}/{repetition}-{number}": batches
        for repetition in range(campaign.repetitions)
        for number, batches in enumerate(blocked(_order(design, repetition), lambda b: _tokens(b[0]), most))
    }


def _order(design: Design, repetition: int) -> Design:
    if repetition:
        return random.Random(repetition).sample(list(design), len(design))  # noqa: S311
    return by_worth(design, lambda batch: (batch[1], len(batch[0]) > 1), lambda batch: _tokens(batch[0]))


def _tokens(texts: Texts) -> int:
    """Tokens of a batch, padding included."""
    return len(texts) * max(texts)


def _pass(worker: Worker, order: Design) -> Records:
    for texts, _ in order:
        encode(worker, texts)
    # Twice over, so that half as many anchors are needed.
    return [encode(worker, texts, held_out) for _ in range(2) for texts, held_out in order]


def embedding_anchor(campaign: Campaign, worker: Worker) -> float:
    """Seconds of one batch that is always the same, the median of several."""
    timings = [encode(worker, ANCHOR) for _ in range(7)]
    samples = [Sample(cast(float, t["seconds"]), cast(float, t["cpu"])) for t in timings]
    return median(undisturbed(samples, campaign.device))
