"""The 70B server on two A100 against LMBench's runs that it was not fitted to: one replica, and two.

``SIMSAGE_DATA=FOLDER python benchmarks/accuracy_llmd.py``
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from verdict_row import Row, holds

from calibration.derive.llmd import ASKED, HELD_OUT, ONE, TO_THE_KNEE, TWO, compared
from calibration.derive.lmbench import METRICS, Latencies, LMBenchRun, read_run
from calibration.derive.lmbench_replay import Replay
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile

NAME = "a100x2-llama-3.1-70b"
LIMITS = {ONE: 0.10, TWO: 0.15}
DRAWS = 9


def rows(data: Path) -> list[Row]:
    """(point, what, figure, target, holds) by replicas, rate, metric and statistic.

    The last rows have no target: two replicas with each request's replica drawn by coin, which is nearer
    to how the recorded ones were reached than round robin is.
    """
    profile = load_profile(NAME, Path())
    found = [row for rate in HELD_OUT for row in _asked(data, profile, ONE, rate)]
    found += [row for rate in TO_THE_KNEE for row in _asked(data, profile, TWO, rate)]
    return found + [row for rate in TO_THE_KNEE for row in _drawn(data, profile, rate)]


def _asked(data: Path, profile: ProfileDocument, replicas: str, rate: str) -> Iterator[Row]:
    what, limit = replicas.replace("_", " ") + (", round robin" if replicas == TWO else ""), LIMITS[replicas]
    for (metric, name), (simulated, measured) in compared(data, profile, replicas, rate).items():
        error = simulated / measured - 1
        figure = f"{error:+.1%} ({simulated:.3f} s for {measured:.3f} s)"
        yield (
            "4",
            f"{what}, {rate}/s: {metric} {name}",
            figure,
            f"within {limit:.0%}",
            holds(abs(error) <= limit),
        )


def _drawn(data: Path, profile: ProfileDocument, rate: str) -> Iterator[Row]:
    run = read_run(data / "llmd_a100", TWO, rate)
    measured = run.measured.figures()
    draws = [_by_coin(run, profile, seed).figures() for seed in range(DRAWS)]
    for metric in METRICS:
        for name in ASKED:
            errors = [figures[metric, name] / measured[metric, name] - 1 for figures in draws]
            figure = f"median {np.median(errors):+.1%}, {min(errors):+.1%} to {max(errors):+.1%}"
            yield "4", f"two replicas, by coin, {rate}/s: {metric} {name}", figure, "", ""


def _by_coin(run: LMBenchRun, profile: ProfileDocument, seed: int) -> Latencies:
    """Each request on either replica with the same chance: two runs of one replica."""
    heads = np.random.default_rng(seed).random(len(run.arrivals)) < 0.5
    with TemporaryDirectory() as folder:
        halves = [Replay(run.where(half), 1, Path(folder))(profile) for half in (heads, ~heads)]
    ttft, generation = ([getattr(half, name) for half in halves] for name in ("ttft", "generation"))
    return Latencies(np.concatenate(ttft), np.concatenate(generation))


def main() -> None:
    """Print the rows for the data in ``SIMSAGE_DATA``."""
    for row in rows(Path(os.environ.get("SIMSAGE_DATA", "../shared/data"))):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, (1, 60, 40, 10, 3), strict=True)).rstrip()
        )


if __name__ == "__main__":
    main()
