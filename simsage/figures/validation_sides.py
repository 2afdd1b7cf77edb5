"""The two sides of a validation figure: live solid with a band of its repetitions, simulated dashed."""

from __future__ import annotations

from typing import Any

from simsage.figures.style import line
from validate.compare.wording import plural

LIVE: dict[str, Any] = line(0) | {"label": "live"}
SIMULATED: dict[str, Any] = line(1) | {"label": "simulated"}
BAND: dict[str, Any] = {"color": LIVE["color"], "alpha": 0.25, "linewidth": 0}


def band_of(repetitions: int) -> str:
    """What the band of that many live repetitions is, in words."""
    return f"the band is from the lowest to the highest of {plural(repetitions, 'live repetition')}"
