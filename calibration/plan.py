"""Plan: how much a calibration measures."""

from __future__ import annotations

from dataclasses import dataclass

from calibration.probes.design import Scene, full_design, quick_design, tiny_design


@dataclass(frozen=True, slots=True)
class Plan:
    """A design of engine steps, how often all is repeated, and how long backends run side by side."""

    name: str
    design: tuple[Scene, ...]
    repetitions: int
    colocation_seconds: float
    few_batches: bool
    """Whether the grid of embedding batches is the small one."""
    tries: int = 2
    """How often a block is measured while the machine drifts, before a last time once all are there."""


def tiny() -> Plan:
    """For tests: one pass, no second try."""
    return Plan("tiny", tuple(tiny_design()), 1, 1.0, True, tries=1)


def quick() -> Plan:
    """Under four minutes on two quiet cores with the 40m model."""
    return Plan("quick", tuple(quick_design()), 3, 2.0, True)


def full() -> Plan:
    """Under twelve minutes likewise."""
    return Plan("full", tuple(full_design()), 5, 4.0, False)
