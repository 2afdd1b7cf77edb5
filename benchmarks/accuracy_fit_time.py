"""How long each derived profile takes to build, fits included, in processor seconds."""

from __future__ import annotations

import time
from pathlib import Path

from calibration.ship import derivations

MOST = 60.0


def rows(data: Path) -> list[tuple[str, ...]]:
    """Point, what, figure, target and whether it holds; a row a source."""
    found = []
    for name, derive in derivations(data, "2026-01-01").items():
        start = time.process_time()
        derive()
        seconds = time.process_time() - start
        holds = "yes" if seconds <= MOST else "NO"
        found.append(("6", f"{name}: build time", f"{seconds:.0f} s", f"<= {MOST:.0f} s", holds))
    return found
