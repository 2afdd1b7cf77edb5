"""Plan: how much a calibration measures."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from calibration.cores import Device
from calibration.probes.design import Scene, full_design, ordered, quick_design, tiny_design
from calibration.probes.gpu_design import full_gpu_design, quick_gpu_design
from calibration.probes.loads import Loads, full_loads, quick_loads, tiny_loads
from calibration.probes.retrieval import FULL, QUICK, IndexDesign


@dataclass(frozen=True, slots=True)
class Plan:
    """A design of engine steps, how often all is repeated, and which loads backends share a device with."""

    name: str
    design: tuple[Scene, ...]
    repetitions: int
    loads: Loads
    few_batches: bool
    """Whether the grid of embedding batches is the small one."""
    index: IndexDesign = FULL
    """The vector index whose look-ups are measured."""
    tries: int = 2
    """How often a block is measured while the machine drifts, before a last time once all are there."""
    passes: int = 2
    """How often the designed loads are played on a server."""
    loads_served: int | None = None
    """How many of them, the first by worth; all if None."""

    @property
    def identity(self) -> str:
        """Name and the design's digest: steps of another design, or in another order, are not this plan's."""
        return f"{self.name} {sha256(repr(ordered(self.design)).encode()).hexdigest()[:12]}"


def tiny() -> Plan:
    """For tests: one pass, no second try, no loads on a server but its waves."""
    return Plan("tiny", tuple(tiny_design()), 1, tiny_loads(), True, QUICK, tries=1, passes=0)


def quick(device: Device) -> Plan:
    """On two quiet cores with the 40m model some five minutes."""
    design = quick_design() if device == "cpu" else quick_gpu_design()
    return Plan("quick", tuple(design), 2, quick_loads(), True, QUICK, 1, 1, 8)


def full(device: Device) -> Plan:
    """Likewise half an hour."""
    design = full_design() if device == "cpu" else full_gpu_design()
    return Plan("full", tuple(design), 5, full_loads(), False)
