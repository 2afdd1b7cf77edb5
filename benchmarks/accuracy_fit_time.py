"""How long each derived profile takes to build, fits included, in processor seconds."""

from __future__ import annotations

import time
from pathlib import Path

from verdict_row import Row, holds

from calibration.ship import derivations

MOST = 60.0


def rows(data: Path) -> list[Row]:
    """Point, what, figure, target and whether it holds; a row a source."""
    found: list[Row] = []
    for name, derive in derivations(data, "2026-01-01").items():
        start = time.process_time()
        derive()
        seconds = time.process_time() - start
        figure, target = f"{seconds:.0f} s", f"<= {MOST:.0f} s"
        found.append(("6", f"{name}: build time", figure, target, holds(seconds <= MOST)))
    return found
