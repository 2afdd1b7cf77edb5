"""Power by a fit on two live replays on an H100, against what nvidia-smi said during the others.

``SIMSAGE_DATA=FOLDER python benchmarks/accuracy_power.py [--profile]``; ``--profile`` prints profile parts.
What was computed is that of the recordings, so this judges power alone, not step times.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from calibration.derive.live_power import LivePower, fit_live, powers, read_live
from calibration.fits.power import FittedPower

SHARED = Path(os.environ.get("SIMSAGE_DATA", "../shared/data"))
DATA = "h100_live"
FITTED = ("mixed low", "chat high")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one case."""

    data: str
    case: str
    calibrated_from: str
    metric: str
    statistic: str
    predicted: float
    observed: float

    @property
    def error(self) -> float:
        """Relative; positive where the prediction is more."""
        return self.predicted / self.observed - 1


def fitted(data: Path) -> tuple[FittedPower, list[LivePower], list[LivePower]]:
    """The fit, the replays behind it and those that it never saw."""
    replays, idle = read_live(data / DATA)
    known = [replay for replay in replays if replay.variant in FITTED]
    others = [replay for replay in replays if replay.variant not in FITTED]
    return fit_live(known, idle), known, others


def rows(data: Path = SHARED) -> list[Row]:
    """Watts and joules per output token of the replays that were held out."""
    fit, _, others = fitted(data)
    found = []
    for replay in others:
        case, basis = f"{replay.variant} ({replay.number})", " + ".join(FITTED)
        said, seen, tokens = replay.said(fit), replay.watts, replay.tokens_per_second
        found.append(Row(DATA, case, basis, "watts", "mean", said, seen))
        found.append(Row(DATA, case, basis, "joules_per_token", "mean", said / tokens, seen / tokens))
    return found


def main() -> None:
    """Print the table, or the parts of the profile."""
    if "--profile" in sys.argv:
        llm, embedding = powers(*fitted(SHARED))
        found = {"llm": llm, "embedding": embedding}
        print(
            json.dumps({name: part.model_dump(mode="json") for name, part in found.items() if part}, indent=2)
        )
        return
    for row in rows():
        print(f"{row.case:24} {row.metric:18} {row.predicted:9.4g} {row.observed:9.4g} {row.error:+7.1%}")


if __name__ == "__main__":
    main()
