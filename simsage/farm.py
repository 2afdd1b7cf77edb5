"""Runs replications on this machine's cores; what comes out does not depend on how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter

import joblib
import pandas as pd

from simcore.profile.document import ProfileDocument
from simsage.replication import Cell, Measured, replicate

WORTH_WORKERS_S = 4.0
"""Worker processes take about two seconds to start; less work than this is done sooner without them."""

Replicated = tuple[Measured, pd.DataFrame]


def replicate_all(
    cells: Sequence[Cell], profiles: Mapping[str, ProfileDocument], base: Path, jobs: int | None
) -> Iterator[Replicated]:
    """Every cell's result, in the order of ``cells``.

    Without ``jobs`` cells run one after the other until the slowest so far tells that workers are worth it.
    """
    done, slowest = 0, 0.0
    while jobs is None and done < len(cells) and slowest * (len(cells) - done) <= WORTH_WORKERS_S:
        begun = perf_counter()
        replicated = replicate(cells[done], profiles, base)
        done, slowest = done + 1, max(slowest, perf_counter() - begun)
        yield replicated
    yield from _in_workers(cells[done:], profiles, base, jobs or joblib.cpu_count())


def _in_workers(
    cells: Sequence[Cell], profiles: Mapping[str, ProfileDocument], base: Path, jobs: int
) -> Iterator[Replicated]:
    if jobs == 1 or len(cells) <= 1:
        yield from (replicate(cell, profiles, base) for cell in cells)
        return
    workers = min(jobs, len(cells))
    parallel = joblib.Parallel(n_jobs=workers, backend="loky", return_as="generator", pre_dispatch="2*n_jobs")
    yield from parallel(joblib.delayed(replicate)(cell, profiles, base) for cell in cells)
