"""One replication of one variant at one sweep point: simulated, recorded and measured in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Protocol

import pandas as pd

from simcore.profile.document import ProfileDocument
from simcore.profile.ensemble import member_profiles
from simcore.result import BackendUsage, ControlPlaneUsage, RangeExcess
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate
from simsage.energy import energy_of
from simsage.metrics import Sample, samples_of
from simsage.records import frame_of
from simsage.register import Register


@dataclass(frozen=True, slots=True)
class Cell:
    """What one worker simulates. ``document`` is resolved: its variant and sweep point are applied."""

    variant: str
    point: float | None
    replication: int
    document: ScenarioDocument
    member: int | None = None
    """Which draw from the profiles' ensembles takes their place; None: the profiles as they are."""


class Sampled(Protocol):
    """A replication whose metrics are known: just simulated, or read back from a run's records."""

    @property
    def cell(self) -> Cell:
        """What was simulated."""

    @property
    def samples(self) -> list[Sample]:
        """Its rows, the whole first."""


@dataclass(slots=True)
class Measured:
    """What is kept of one replication beside its rows in the records."""

    cell: Cell
    samples: list[Sample]
    backends: list[BackendUsage]
    control_planes: list[ControlPlaneUsage]
    horizon: float
    events: int
    wall: float
    """Seconds that the simulation itself took, on whatever core it ran."""
    range_excesses: list[RangeExcess]
    assumptions: list[str]


def replicate(
    cell: Cell, profiles: Mapping[str, ProfileDocument], base: Path
) -> tuple[Measured, pd.DataFrame]:
    """Simulate and measure. Plain columns come back, so that a worker process can hand them over."""
    if cell.member is not None:
        profiles = member_profiles(profiles, cell.member)
    begun = perf_counter()
    register = Register()
    result = simulate(cell.document, profiles, cell.replication, base, ended=register.enter)
    wall = perf_counter() - begun
    frame = frame_of(
        register,
        [usage.name for usage in result.backends],
        cell.variant,
        cell.point,
        cell.replication,
        cell.document.warmup_s,
    )
    samples = samples_of(cell.document, frame)
    whole = samples[0].values
    whole |= energy_of(result.backends, whole["output_throughput"])
    measured = Measured(
        cell=cell,
        samples=samples,
        backends=result.backends,
        control_planes=result.control_planes,
        horizon=result.horizon,
        events=result.events,
        wall=wall,
        range_excesses=result.range_excesses,
        assumptions=result.assumptions,
    )
    return measured, frame
