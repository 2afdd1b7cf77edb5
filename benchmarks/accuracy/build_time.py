"""How long each derived profile takes to build, fits included, in processor seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.accuracy.row import DATA
from calibration.ship import derivations

MOST = 60.0


def lines(data: Path = DATA) -> Iterator[str]:
    """A line a source, and whether it took less than `MOST`."""
    for name, derive in derivations(data, "2026-01-01").items():
        start = time.process_time()
        derive()
        seconds = time.process_time() - start
        yield f"{name:24} {seconds:3.0f} s of {MOST:.0f} {'yes' if seconds <= MOST else 'NO'}"
