"""A run killed at a moment, and resumed: what it leaves against what an undisturbed one gives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.unit.simsage_support import SWEEP, write_scenario

SAME = ("summary.json", "requests.parquet", "scenario.yaml")


class Broken(AssertionError):
    """A killed process left what passes for whole and is not, or went on to another result."""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A scenario file, its undisturbed run in ``whole``, and how long that took."""

    file: Path
    whole: Path
    seconds: float


def undisturbed(folder: Path, duration: int, sweep: str = SWEEP) -> Undisturbed:
    """Write a scenario of ``duration`` simulated seconds into ``folder`` and run it to its end.

    It has twelve replications with the usual sweep, six without any.
    """
    file = write_scenario(folder, sweep=sweep)
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("duration_s: 20", f"duration_s: {duration}"), encoding="utf-8")
    whole = folder / "whole"
    return Undisturbed(file, whole, seconds_of(command(file, whole, 1)))


def command(file: Path, out: Path, jobs: int) -> list[str]:
    """``simsage run`` of the file."""
    run = [sys.executable, "-m", "simsage", "run", str(file), "--out", str(out)]
    return [*run, "--no-figures", "--jobs", str(jobs)]


def started(command: list[str]) -> subprocess.Popen[bytes]:
    """A process of that command in a session of its own."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, start_new_session=True, stdout=quiet, stderr=quiet)


def seconds_of(command: list[str]) -> float:
    """How long a process of that command takes to its end, which is a good one."""
    begun = time.perf_counter()
    assert started(command).wait() == 0
    return time.perf_counter() - begun


def kill(process: subprocess.Popen[bytes], seconds: float) -> None:
    """End the process and all that it started after so many seconds, if it is not over."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def kill_and_resume(run: Undisturbed, out: Path, share: float, jobs: int) -> str:
    """Kill a run after that share of the undisturbed one's time, and run it again to its end.

    Gives what the killed one left: ``nothing``, ``parts`` or ``whole``. Raises Broken.
    """
    kill(started(command(run.file, out, jobs)), share * run.seconds)
    return resume(run, out, jobs)


def wait_for_parts(process: subprocess.Popen[bytes], out: Path, parts: int) -> None:
    """Wait until it has finished that many parts of a run, or is over."""
    while process.poll() is None and len(list(out.parent.glob(f".{out.name}.part/*/*.json"))) < parts:
        time.sleep(0.002)


def resume(run: Undisturbed, out: Path, jobs: int) -> str:
    """Run a killed one again to its end; what it had left, as `kill_and_resume` says."""
    again = command(run.file, out, jobs)
    if out.exists():
        _same(run, out)
        return "whole"
    left = "parts" if any(out.parent.glob(f".{out.name}.part/*/*.json")) else "nothing"
    if (code := started(again).wait()) != 0:
        raise Broken(f"the resumed run ended with {code}")
    _same(run, out)
    if litter := list(out.parent.glob(f".{out.name}*")):
        raise Broken(f"the resumed run left {litter}")
    return left


def _same(run: Undisturbed, out: Path) -> None:
    for name in SAME:
        if not (out / name).is_file() or (out / name).read_bytes() != (run.whole / name).read_bytes():
            raise Broken(f"{name} is not that of the undisturbed run")
