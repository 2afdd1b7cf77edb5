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


def choose_cores(device: Device, threads: int = 1) -> Cores:
    """On the CPU a core a thread, the last ones allowed, for the backend (the first serves most interrupts).

    Clients get the others, or share where none is left. A GPU's backend keeps all cores: what is measured
    there is the GPU, and its host must not starve. ``ValueError`` for more threads than cores.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if device == "gpu":
        return Cores(frozenset(allowed), frozenset(allowed))
    if not 1 <= threads <= len(allowed):
        raise ValueError(f"{threads} threads do not fit on {len(allowed)} cores, one each")
    return Cores(frozenset(allowed[-threads:]), frozenset(allowed[:-threads] or allowed))
