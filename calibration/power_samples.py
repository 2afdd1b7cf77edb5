"""PowerSample: what a device draws at a moment; how samples are written and read."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

HEAD = "epoch_s,watts,gpu_percent,memory_percent,sm_mhz,celsius,memory_mib,gpu,limit_watts"
"""Columns of power.csv.gz; ``epoch_s`` is when the line was read, ``gpu`` the GPU's index."""

AVERAGED = 1.0
"""Seconds that nvidia-smi's ``power.draw`` averages over on an H100: the drop after the last step takes so
long, and the correlation with what steps did is greatest for the second before a sample, without a lag."""
RAMP = 3.0
"""Seconds after which a device that has nothing to do draws its idle power."""


@dataclass(frozen=True, slots=True)
class PowerSample:
    """Watts at a time, seconds since the epoch, and the clock of the processors."""

    at: float
    watts: float
    sm_mhz: float


def read_power(lines: Iterable[str]) -> Iterator[PowerSample]:
    """The samples of lines whose first one names the columns; one that lacks a number is left out."""
    for row in csv.DictReader(lines):
        try:
            yield PowerSample(*(float(row[name]) for name in ("epoch_s", "watts", "sm_mhz")))
        except ValueError:
            continue
