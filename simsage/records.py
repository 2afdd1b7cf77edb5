"""requests.parquet: one row a request and replication, with what happened to it and when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.dataset import dataset

from simcore.metrics import LATENCIES, latencies
from simcore.request import Outcome
from simsage.register import COUNTS, LOSSES, TIMES, Register

FILE = "requests.parquet"
GROUP = 2**17
"""Rows that are converted and compressed at a time: memory is bounded by them, not by the replication."""

_TEXTS = ("stream", "tenant", "kind", "priority", "stage", "backend", "outcome")
_DERIVED = tuple(f"{name}_s" for name in LATENCIES)

SCHEMA = pa.schema(
    [("variant", pa.string()), ("point", pa.float64()), ("replication", pa.int32())]
    + [("request_id", pa.int64()), ("parent_id", pa.int64())]
    + [(name, pa.string()) for name in _TEXTS]
    + [(name, pa.int32()) for name in COUNTS]
    + [(name, pa.float64()) for name in (*TIMES, *LOSSES, *_DERIVED)]
    + [("counted", pa.bool_())]
)
"""``parent_id`` is -1 for a root request; a time is null where it never came."""


class ConservationFault(RuntimeError):
    """Requests were lost, counted twice or left without an outcome: a defect of the simulator."""


def frame_of(
    register: Register,
    backends: Sequence[str],
    variant: str,
    point: float | None,
    replication: int,
    warmup: float,
) -> pd.DataFrame:
    """The requests of one replication, by id; names are categorical, times in seconds of its own.

    They leave the register. ``backends`` are the names of all, by index. ``counted`` are root requests that
    arrived at or after ``warmup``. Raises ConservationFault.
    """
    columns = register.columns(backends)
    rows = len(columns["request_id"])
    frame = pd.DataFrame({"variant": pd.Categorical.from_codes(np.zeros(rows, np.int8), pd.Index([variant]))})
    frame["point"] = np.nan if point is None else point
    frame["replication"] = np.int32(replication)
    for name in list(columns):
        frame[name] = columns.pop(name)
    _add_latencies(frame)
    frame["counted"] = (frame["arrival_s"] >= warmup) & (frame["parent_id"] < 0)
    _check_conservation(frame)
    return frame


def _add_latencies(frame: pd.DataFrame) -> None:
    names = ("arrival_s", "first_token_s", "finished_s", "output_tokens")
    arrival, first_token, finished, output_tokens = (frame[name].to_numpy(dtype=float) for name in names)
    completed = (frame["outcome"] == Outcome.COMPLETED.value).to_numpy(dtype=bool)
    found = latencies(arrival, first_token, finished, output_tokens, completed)
    for name in LATENCIES:
        frame[f"{name}_s"] = found[name]


def _check_conservation(frame: pd.DataFrame) -> None:
    orphaned = (frame["parent_id"] >= 0) & ~frame["parent_id"].isin(frame["request_id"])
    faults = {
        "without an outcome": frame["outcome"].isna(),
        "present twice": frame["request_id"].duplicated(),
        "a stage of a request that is not there": orphaned,
        "completed without a valid end": (frame["outcome"] == Outcome.COMPLETED.value)
        & ~(frame["e2el_s"] >= 0),
    }
    found = [f"{int(rows.sum())} {what}" for what, rows in faults.items() if rows.any()]
    if found:
        raise ConservationFault(f"of {len(frame)} requests {'; '.join(found)}")


class Writer:
    """Writes requests.parquet replication by replication, so that no run has to fit into memory."""

    def __init__(self, folder: Path, file: str = FILE) -> None:
        # Times hardly ever repeat: a dictionary of them takes time and makes the file larger.
        repeating = ["variant", *_TEXTS, *COUNTS]
        self._writer = pq.ParquetWriter(folder / file, SCHEMA, compression="zstd", use_dictionary=repeating)

    def add(self, frame: pd.DataFrame) -> None:
        """Append one replication."""
        for start in range(0, len(frame), GROUP):
            rows = frame.iloc[start : start + GROUP]
            self._writer.write_table(pa.Table.from_pandas(rows, schema=SCHEMA, preserve_index=False))

    def append(self, written: Path) -> None:
        """Append what another Writer has written; the file is then the same as if it had been added here."""
        with pq.ParquetFile(written) as source:
            for group in range(source.num_row_groups):
                self._writer.write_table(source.read_row_group(group))

    def close(self) -> None:
        """End the file; it is not readable before."""
        self._writer.close()


def join(parts: Sequence[Path], folder: Path) -> None:
    """Write requests.parquet from what Writers have written, in that order.

    Parquet has no way to put files together but to encode them anew; one alone is the whole as it is.
    """
    if len(parts) == 1:
        copyfile(parts[0], folder / FILE)
        return
    with closing(Writer(folder)) as writer:
        for part in parts:
            writer.append(part)


def read(
    folder: Path,
    columns: Sequence[str],
    among: Collection[int] | None = None,
    **equal: str | float | bool | None,
) -> pd.DataFrame:
    """The given columns of the rows in which each column of ``equal`` has that value; None leaves it open.

    With ``among`` only requests of these ids, and their stages.
    """
    filters: list[Any] = [(name, "==", value) for name, value in equal.items() if value is not None]
    if among is not None:
        filters = [[*filters, (name, "in", among)] for name in ("request_id", "parent_id")]
    # A little at a time, and each column leaves the table as it enters the frame: rows are held once.
    table = dataset(folder / FILE).to_table(
        columns=list(columns),
        filter=pq.filters_to_expression(filters) if filters else None,
        batch_readahead=1,
        use_threads=False,
    )
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return frame
