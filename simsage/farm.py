"""Runs replications on this machine's cores; what comes out does not depend on how many there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import joblib

from simcore.profile.document import ProfileDocument
from simsage.errors import CannotFinish
from simsage.orphan import end_with
from simsage.replication import Cell, Measured, replicate
from simsage.work import Work

WORTH_WORKERS_S = 4.0
"""Worker processes take about two seconds to start; less work than this is done sooner without them."""
MOST_TRIES = 3
"""A cell that a worker has died of that often alone is not tried again."""

Result = TypeVar("Result")
Warn = Callable[[str], None]
"""Told what went wrong and was put right."""


def finish(work: Work, jobs: int | None, warn: Warn) -> Iterator[int]:
    """Finish the cells that are left; gives the number of each as it is finished, in any order.

    Without ``jobs`` cells run one after the other until the slowest so far tells that workers are worth it.
    CannotFinish where workers die again and again.
    """
    work.clear()
    left = work.left()
    done, slowest = 0, 0.0
    while jobs is None and done < len(left) and slowest * (len(left) - done) <= WORTH_WORKERS_S:
        begun = perf_counter()
        number = _here(work, left[done])
        done, slowest = done + 1, max(slowest, perf_counter() - begun)
        yield number
    left, jobs = left[done:], jobs or joblib.cpu_count()
    if jobs == 1 or len(left) <= 1:
        yield from (_here(work, number) for number in left)
    else:
        yield from _in_workers(work, left, jobs, warn)


def measure_all(
    cells: Sequence[Cell], profiles: Mapping[str, ProfileDocument], base: Path, jobs: int
) -> Iterator[Measured]:
    """What is measured of every cell, in their order; neither records nor anything else is kept."""
    if jobs == 1 or len(cells) <= 1:
        yield from (_measured(cell, profiles, base) for cell in cells)
        return
    parallel = joblib.Parallel(n_jobs=min(jobs, len(cells)), backend="loky", return_as="generator")
    yield from parallel(
        joblib.delayed(_working)(os.getpid(), _measured, cell, profiles, base) for cell in cells
    )


def _measured(cell: Cell, profiles: Mapping[str, ProfileDocument], base: Path) -> Measured:
    return replicate(cell, profiles, base)[0]


def _here(work: Work, number: int) -> int:
    return work.part(number).simulate(work.cells[number], work.profiles, work.base)


def _in_workers(work: Work, left: Sequence[int], jobs: int, warn: Warn) -> Iterator[int]:
    """In worker processes. When one dies, all do: what was in flight is run again, one cell at a time.

    Alone, so that a cell that kills its worker is told from those that merely ran beside it.
    """
    while left:
        told = set()
        try:
            for number in _pool(work, left, jobs):
                told.add(number)
                yield number
            return
        except BrokenProcessPool as broken:
            warn(f"A worker process died ({_cause(broken)}); what was in flight is run again.")
        lost, begun = work.left(), work.begun()
        yield from (number for number in left if number not in told and number not in lost)
        suspects = [number for number in lost if number in begun] or lost[:1]
        for number in suspects:
            yield from _alone(work, number, warn)
        left = [number for number in lost if number not in suspects]


def _alone(work: Work, number: int, warn: Warn) -> Iterator[int]:
    for tried in range(1, MOST_TRIES + 1):
        work.clear()
        try:
            yield from _pool(work, [number], 2)
            return
        except BrokenProcessPool as broken:
            warn(f"A worker process died in {work.named(number)} ({_cause(broken)}), try {tried}.")
            cause = broken
    raise CannotFinish(
        f"{work.named(number)}: {MOST_TRIES} worker processes died of it, each with nothing else to do. "
        "Does it fit into memory?"
    ) from cause


def _pool(work: Work, numbers: Sequence[int], jobs: int) -> Iterator[int]:
    # With one job joblib would use this very process, which must not die.
    workers = max(2, min(jobs, len(numbers)))
    parallel = joblib.Parallel(n_jobs=workers, backend="loky", return_as="generator_unordered")
    yield from parallel(
        joblib.delayed(_working)(
            os.getpid(), work.part(number).simulate, work.cells[number], work.profiles, work.base
        )
        for number in numbers
    )


def _working(
    owner: int,
    task: Callable[[Cell, Mapping[str, ProfileDocument], Path], Result],
    cell: Cell,
    profiles: Mapping[str, ProfileDocument],
    base: Path,
) -> Result:
    end_with(owner)
    return task(cell, profiles, base)


def _cause(broken: BrokenProcessPool) -> str:
    codes = str(broken).rpartition("The exit codes of the workers are ")[2]
    return codes.strip(" .") or "no reason known"
