"""Breakdown: where the latency of requests went, from their times alone.

A request's latency is the sum of its parts; a pipeline's parts are those of its stages together. What is
left is ``other``: a wait before a retry, or nothing. Stages that run at once are each counted in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from pathlib import Path

import numpy as np
import pandas as pd

from simcore.request import Kind, Outcome
from simsage import records
from simsage.metrics import ALL

PARTS = (
    "hop",
    "control plane queue",
    "backend queue",
    "prefill",
    "decode",
    "embedding",
    "retrieval",
    "interference",
    "other",
)
"""``hop`` is the way in, tokeniser included; the way back belongs to the part that it follows."""
AROUND = {50: 5.0, 90: 2.0, 99: 0.5}
"""By percentile, how many percentiles on either side of it are taken together."""
MS = 1000.0
DECIMALS = 6
"""Of seconds: below a microsecond there is rounding alone."""

ROOTS = ["replication", "request_id", "outcome", "counted"]
COLUMNS = [
    *("request_id", "parent_id", "kind"),
    *("arrival_s", "submitted_s", "dispatched_s", "backend_arrival_s", "scheduled_s"),
    *("first_token_s", "finished_s", "prefill_interference_s", "interference_s"),
]

Split = dict[int, dict[str, float]]
"""By percentile and part, milliseconds."""


def read_splits(folder: Path, stream: str, latency: str, variant: str, point: float | None) -> list[Split]:
    """One for each replication of a run's cell. ``latency`` is ``ttft`` or ``e2el``."""
    cell = {"variant": variant, "point": point, "stream": None if stream == ALL else stream}
    roots = records.read(folder, [*ROOTS, f"{latency}_s"], None, **cell)
    splits = []
    for replication in sorted(roots["replication"].unique().tolist()):
        chosen = around(answered(roots[roots["replication"] == replication], latency))
        ids = {one for latencies in chosen.values() for one in latencies.index.tolist()}
        # A million rows of all columns are not kept at once.
        rows = records.read(folder, COLUMNS, ids, **cell, replication=replication) if chosen else roots
        splits.append(split(rows, latency, chosen))
    return splits


def around(latencies: pd.Series[float]) -> dict[int, pd.Series[float]]:
    """Those around each percentile; nothing of nothing."""
    ranked = latencies.iloc[np.argsort(latencies.to_numpy(), kind="stable")]
    if ranked.empty:
        return {}
    found = {}
    for level, width in AROUND.items():
        low = floor(len(ranked) * (level - width) / 100)
        high = ceil(len(ranked) * (level + width) / 100)
        found[level] = ranked.iloc[low:high]
    return found


def split(frame: pd.DataFrame, latency: str, chosen: Mapping[int, pd.Series[float]]) -> Split:
    """The mean parts of the ``chosen`` requests by percentile; ``frame`` has them and their stages."""
    found: Split = {}
    for level, latencies in chosen.items():
        means = parts_of(frame, latency, latencies).mean() * MS
        found[level] = {name: float(means[name]) for name in PARTS}
    return found


def answered(frame: pd.DataFrame, latency: str) -> pd.Series[float]:
    """The latency of each counted request that completed, by its id, seconds."""
    roots = frame["counted"] & (frame["outcome"] == Outcome.COMPLETED.value)
    column = frame[f"{latency}_s"]
    chosen = roots & column.notna()
    return column[chosen].set_axis(frame.loc[chosen, "request_id"])


def parts_of(frame: pd.DataFrame, latency: str, of: pd.Series[float]) -> pd.DataFrame:
    """A row for each request whose latency is in ``of``, by its id: its parts, seconds."""
    owner = frame["parent_id"].where(frame["parent_id"] >= 0, frame["request_id"])
    served = (frame["kind"] != Kind.PIPELINE.name) & owner.isin(of.index)
    parts = _of_each(frame[served], latency).groupby(owner[served]).sum().reindex(of.index)
    rest = (of - parts.sum(axis=1)).round(DECIMALS).clip(lower=0.0)
    return parts.assign(other=rest)


def _of_each(rows: pd.DataFrame, latency: str) -> pd.DataFrame:
    early = rows["prefill_interference_s"].fillna(0.0).round(DECIMALS)
    whole = rows["interference_s"].fillna(0.0).round(DECIMALS)
    late = early if latency == "ttft" else whole
    served = rows["finished_s"] - rows["scheduled_s"] - whole
    parts = {
        "hop": rows["submitted_s"] - rows["arrival_s"] + rows["backend_arrival_s"] - rows["dispatched_s"],
        "control plane queue": rows["dispatched_s"] - rows["submitted_s"],
        "backend queue": rows["scheduled_s"] - rows["backend_arrival_s"],
        "prefill": rows["first_token_s"] - rows["scheduled_s"] - early,
        "decode": (rows["finished_s"] - rows["first_token_s"] - (whole - early)) * (latency != "ttft"),
        "embedding": served.where(rows["kind"] == Kind.EMBEDDING.name, 0.0),
        "retrieval": served.where(rows["kind"] == Kind.RETRIEVAL.name, 0.0),
        "interference": late,
    }
    return pd.DataFrame(parts, index=rows.index).fillna(0.0)
