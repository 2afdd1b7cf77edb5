"""Runs replications on a Ray cluster; what comes out is what this machine would give, bit for bit."""

from __future__ import annotations

import logging
import platform
import socket
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simcore.profile.document import ProfileDocument
from simsage.errors import CannotFinish
from simsage.farm import MOST_TRIES, Warn
from simsage.identity import programs
from simsage.part import Part
from simsage.replication import Cell
from simsage.trace_files import trace_paths, with_trace_paths
from simsage.work import Work

AHEAD = 2
"""Tasks sent for each core of the cluster; more would leave more results in its memory at a time."""
CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """What every task needs, sent once: nodes share no file system with this machine.

    ``traces`` are the contents of trace files by the paths that documents say.
    """

    programs: str
    profiles: Mapping[str, ProfileDocument]
    traces: Mapping[str, bytes]


def finish(work: Work, address: str, warn: Warn) -> Iterator[int]:
    """Finish the cells that are left; gives the number of each as it is finished, in any order.

    CannotFinish where there is no Ray or no cluster at ``address``, where a node has other programs, and
    where the workers or nodes of a cell die again and again.
    """
    work.clear()
    waiting, tries, flying = deque(work.left()), Counter[int](), dict[Any, int]()
    if not waiting:
        return
    with _connected(address) as ray:
        task, parcel = ray.remote(max_retries=0)(simulated), ray.put(_parcel(work))
        while waiting or flying:
            while waiting and len(flying) < AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1))):
                number = waiting.popleft()
                flying[task.remote(work.cells[number], parcel)] = number
            (done,), _ = ray.wait(list(flying), num_returns=1)
            number = flying.pop(done)
            try:
                work.part(number).receive(*_fetched(ray, done))
            except _Died as died:
                tries[number] += 1
                _judge(work.named(number), died, tries[number], warn)
                waiting.append(number)
            else:
                yield number


def simulated(cell: Cell, parcel: Parcel) -> tuple[bytes, bytes]:
    """On a node: the contents of the cell's part, rows and facts."""
    if programs() != parcel.programs:
        raise CannotFinish(
            f"node {platform.node()} has another Python, other packages or another simsage than this "
            "machine, so results could differ; install the same on both"
        )
    with TemporaryDirectory(prefix="simsage-") as folder:
        base = Path(folder)
        paths = {path: f"{count}{Path(path).suffix}" for count, path in enumerate(parcel.traces)}
        for path, content in parcel.traces.items():
            (base / paths[path]).write_bytes(content)
        part = Part(base, 0)
        moved = replace(cell, document=with_trace_paths(cell.document, paths))
        part.simulate(moved, parcel.profiles, base)
        return part.rows.read_bytes(), part.facts.read_bytes()


def _parcel(work: Work) -> Parcel:
    paths = trace_paths(cell.document for cell in work.cells)
    traces = {path: (work.base / path).read_bytes() for path in paths}
    return Parcel(programs(), work.profiles, traces)


class _Died(Exception):
    """A worker or its node, before its result was here."""


def _fetched(ray: Any, done: Any) -> tuple[bytes, bytes]:
    """A task's result; what its cell has raised is raised here."""
    errors = ray.exceptions
    try:
        result: tuple[bytes, bytes] = ray.get(done)
    except errors.RayTaskError as error:
        raise error.cause from None
    except (
        errors.WorkerCrashedError,
        errors.NodeDiedError,
        errors.LocalRayletDiedError,
        errors.OutOfMemoryError,
        errors.ObjectLostError,
    ) as died:
        raise _Died(type(died).__name__) from died
    except errors.RayError as error:
        raise CannotFinish(str(error)) from error
    return result


def _judge(cell: str, died: _Died, tried: int, warn: Warn) -> None:
    if tried == MOST_TRIES:
        raise CannotFinish(f"{cell}: {tried} workers died of it ({died}). Does it fit into memory?")
    warn(f"A worker died in {cell} ({died}); it is run again.")


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        import ray
    except ImportError:
        raise CannotFinish("--cluster needs Ray: pip install 'simsage[cluster]'") from None
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise CannotFinish(f"--cluster {address}: {error}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raise OSError where nobody listens, which Ray takes ten minutes to find out."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), CONNECT_S).close()
