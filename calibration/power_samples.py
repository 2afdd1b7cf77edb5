"""Power samples: what nvidia-smi says the device draws, several times a second, beside a measurement."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

PROGRAM = "nvidia-smi"
INTERVAL_MS = 200
STOP_S = 5.0
COLUMNS = "timestamp,power.draw,clocks.sm"
STAMP = "%Y/%m/%d %H:%M:%S.%f"


@dataclass(frozen=True, slots=True)
class PowerSample:
    """Watts at a time, seconds since the epoch, and the clock of the processors."""

    at: float
    watts: float
    sm_mhz: float


@contextmanager
def power_sampled(file: Path, gpu: int = 0) -> Iterator[bool]:
    """Let nvidia-smi write samples of a GPU into ``file`` meanwhile; False where there is no nvidia-smi."""
    program = shutil.which(PROGRAM)
    if program is None:
        yield False
        return
    command = [program, f"--id={gpu}", f"--query-gpu={COLUMNS}", "--format=csv,noheader,nounits"]
    with file.open("w", encoding="utf-8") as out:
        sampler = subprocess.Popen([*command, f"--loop-ms={INTERVAL_MS}"], stdout=out)  # noqa: S603
        try:
            yield True
        finally:
            _stop(sampler)


def read_power(file: Path) -> list[PowerSample]:
    """The samples that `power_sampled` wrote; a line that is not whole, such as the last, is left out."""
    found = (_sample(line) for line in file.read_text(encoding="utf-8").splitlines())
    return [sample for sample in found if sample is not None]


def _sample(line: str) -> PowerSample | None:
    try:
        stamp, watts, clock = line.split(", ")
        # nvidia-smi writes local time.
        return PowerSample(datetime.strptime(stamp, STAMP).timestamp(), float(watts), float(clock))
    except ValueError:
        return None


def _stop(sampler: subprocess.Popen[bytes]) -> None:
    sampler.terminate()
    try:
        sampler.wait(STOP_S)
    except subprocess.TimeoutExpired:
        sampler.kill()
        sampler.wait()
