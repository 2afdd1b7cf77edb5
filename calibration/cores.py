"""cores: which CPU cores a measured backend gets, and which are left for the rest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

Device = Literal["cpu", "gpu"]


@dataclass(frozen=True, slots=True)
class Cores:
    """Cores of the backend under measurement, and those of its clients."""

    backend: frozenset[int]
    clients: frozenset[int]

    @property
    def apart(self) -> bool:
        """Whether clients share no core with the backend."""
        return self.backend.isdisjoint(self.clients)


def choose_cores(device: Device) -> Cores:
    """On the CPU one core, the last allowed, for the backend (the first serves most interrupts).

    A GPU's backend keeps all cores: what is measured there is the GPU, and its host must not starve.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if device == "gpu" or len(allowed) == 1:
        return Cores(frozenset(allowed[-1:] if device == "cpu" else allowed), frozenset(allowed))
    return Cores(frozenset(allowed[-1:]), frozenset(allowed[:-1]))
