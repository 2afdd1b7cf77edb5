"""How the cost of a request grows with the replicas and with the requests, and what a million of them take.

The load is that of `speed`. Each measurement has a process of its own: neither its processor time nor its
peak memory knows of another. The million is a `simsage run` from the command line, figures, records and
report included.

``python benchmarks/scale.py [--keep]``; ``--keep`` makes what is found the last figures.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

from last import compare
from speed import RATE, Case, profiles, scenario

from simcore.scenario.load import dump_scenario
from simsage.replication import Cell, replicate

ROUTINGS = ("least_outstanding", "power_of_two")
FEW, MANY = 8, 1000
"""Replicas."""
SECONDS = 8
"""That few and many replicas are loaded for: a replica then takes the same steps among few and among many."""
SMALL, LARGE = 10_000, 1_000_000
"""Requests on few replicas."""
TRIES, TRIES_IF_SHORT = 3, 15
"""Their median counts."""


def cost(case: Case) -> float:
    """Processor microseconds of one request, from its draw to its row in the records."""
    document = scenario(case)
    cell, served = Cell("speed", None, 0, document), profiles()
    begun = process_time()
    _, frame = replicate(cell, served, Path())
    return (process_time() - begun) / len(frame) * 1e6


def alone(case: Case) -> float:
    """The same in a process of its own, the median of some tries."""
    assert case.requests is not None
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        tries = TRIES_IF_SHORT if case.requests <= SMALL else TRIES
        return median(process.submit(cost, case).result() for _ in range(tries))


def run(case: Case) -> tuple[float, float]:
    """Processor seconds and peak megabytes of a `simsage run` of the case."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "case.yaml"
        file.write_text(dump_scenario(scenario(case)), encoding="utf-8")
        command = [sys.executable, "-P", "-m", "simsage", "run", str(file), "--out", f"{folder}/out"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def by_replicas(routing: str) -> Iterator[tuple[str, float]]:
    """Few replicas against many, with the same load on each."""
    few, many = (
        alone(Case("", replicas, {}, routing=routing, requests=round(RATE * replicas * SECONDS)))
        for replicas in (FEW, MANY)
    )
    yield f"{FEW} replicas, {routing}: us a request", few
    yield f"{MANY:,} replicas, {routing}: us a request", many
    yield f"{MANY:,} over {FEW} replicas, {routing}: cost of a request", many / few


def by_requests() -> Iterator[tuple[str, float]]:
    """Few requests against many, on the same replicas."""
    small = alone(Case("", FEW, {}, requests=SMALL))
    large = alone(Case("", FEW, {}, requests=LARGE))
    yield f"{SMALL:,} requests: us a request", small
    yield f"{LARGE:,} requests: us a request", large
    yield f"{LARGE:,} over {SMALL:,} requests: cost of a request", large / small


def main() -> None:
    """Print the table."""
    found = {name: value for routing in ROUTINGS for name, value in by_replicas(routing)}
    found |= dict(by_requests())
    seconds, megabytes = run(Case("", FEW, {}, requests=LARGE))
    found["simsage run, 1,000,000 requests: CPU s"] = seconds
    found["simsage run, 1,000,000 requests: peak MB"] = megabytes
    compare(__file__, found)


if __name__ == "__main__":
    main()
