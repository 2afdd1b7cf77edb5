"""Row: one metric of one measured run, beside what the simulator said of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

STATISTICS = ("mean", "p50", "p90", "p99")
DATA = Path(os.environ.get("SIMSAGE_DATA", "../shared/data"))
"""Where the measured runs are, a folder a source."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One statistic, simulated and measured in the same unit."""

    simulated: float
    measured: float
    floor: float | None = None
    """How far repeats of the live run are apart, relative; None where there was one run."""
    peer: float | None = None
    """The relative error of another simulator on the same run, as far as known."""
    interval: tuple[float, float] | None = None
    """What the simulator said holds the measured figure with 95%."""

    @property
    def error(self) -> float:
        """Relative; positive where the simulator says more."""
        return self.simulated / self.measured - 1

    @property
    def held(self) -> bool | None:
        """Whether the interval holds the measured figure; None without one."""
        return None if self.interval is None else self.interval[0] <= self.measured <= self.interval[1]


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of one run, by statistic."""

    data: str
    """Whose runs: a folder of the data."""
    calibrated: str
    """What the simulator was calibrated with."""
    looked: str
    """Whether errors were looked at before predictions were fixed: ``no``, or how far they were."""
    case: str
    metric: str
    figures: Mapping[str, Figure]
    asked: Mapping[str, float] = field(default_factory=dict)
    """Relative errors that are allowed, by statistic."""
    many: tuple[str, ...] = ()
    """Groups that it belongs to, which are asked as a whole: each is one line of the table."""

    @property
    def holds(self) -> bool | None:
        """Whether each error is within what is asked or the floor; None where nothing is asked."""
        if not self.asked:
            return None
        return all(
            abs(figure.error) <= max(self.asked[name], figure.floor or 0.0)
            for name, figure in self.figures.items()
            if name in self.asked
        )


def compared(
    simulated: Mapping[str, float],
    measured: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]] | None = None,
    floors: Mapping[str, float] | None = None,
    peers: Mapping[str, float] | None = None,
) -> dict[str, Figure]:
    """Figures by statistic, of those that were measured."""
    none: Mapping[str, float] = {}
    return {
        name: Figure(
            simulated[name],
            value,
            (floors or none).get(name),
            (peers or none).get(name),
            (intervals or {}).get(name),
        )
        for name, value in measured.items()
    }
