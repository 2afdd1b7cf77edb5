"""Deriving an embedding profile from published BERT-large latencies (NVIDIA TensorRT's demo/BERT)."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from calibration.fits.judge import residual_quantiles, summed_up
from calibration.fits.linear import Array, fit_linear, solve
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.embedding import EmbeddingProfile, EmbedTimeParameters

NAMES = ("constant", "padded", "attention")
HELD_OUT_BATCHES = {4, 16, 64}


def derive(table: Path, date: str) -> ProfileDocument:
    """The profile of BERT-large in FP16 on an A100, from the rows of ``table``.

    The shape stands for bge-large-en-v1.5, which is BERT-large. The figures are forward passes alone:
    tokenising, queueing and a server are not in them.
    """
    batch, length, seconds = _read(table)
    features = np.column_stack([np.ones_like(batch), batch * length, batch * length**2])
    held = np.isin(batch, list(HELD_OUT_BATCHES))
    judged, _ = solve(features[~held], seconds[~held])
    error = features[held] @ judged / seconds[held] - 1
    fitted = fit_linear(NAMES, features, seconds)
    predicted = features @ np.array([fitted.coefficients[name] for name in NAMES])
    return ProfileDocument(
        schema_version=2,
        name="bert-large-a100",
        description="BERT-large (the shape of bge-large-en-v1.5), FP16, one A100-40GB, forward pass only",
        provenance=Provenance(
            how="derived",
            source="NVIDIA/TensorRT 9973b2f4 demo/BERT/README.md, TensorRT 10.11, lengths 128 and 384",
            date=date,
            notes=[
                "No tokeniser, server or queue in the figures.",
                "An engine tuned more than most servers.",
            ],
        ),
        hardware={"device": "NVIDIA A100-SXM4-40GB", "devices": 1},
        software={"tensorrt": "10.11"},
        embedding=EmbeddingProfile(
            model="bert-large-uncased",
            embed_time=EmbedTimeParameters(**fitted.coefficients),
            residuals=residual_quantiles(zip(predicted.tolist(), seconds[:, None].tolist(), strict=True)),
            intervals=fitted.intervals,
            batch_range=(float(batch.min()), float(batch.max())),
            length_range=(float(length.min()), float(length.max())),
            fit={
                "forward": summed_up(error, int((~held).sum()), int(held.sum())),
            },
        ),
    )


def _read(table: Path) -> tuple[Array, Array, Array]:
    with table.open(newline="", encoding="utf-8") as file:
        rows = [
            (float(row["batch"]), float(row["seq_len"]), float(row["lat_avg_ms"]) / 1e3)
            for row in csv.DictReader(file)
            if (row["hardware"], row["model"], row["precision"]) == ("A100 (40GB)", "BERT large", "FP16")
        ]
    batch, length, seconds = (np.array(column) for column in zip(*rows, strict=True))
    return batch, length, seconds
