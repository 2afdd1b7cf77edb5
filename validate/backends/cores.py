"""Which cores the backends of a live cluster get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import cycle, islice

from calibration.cores import Cores


def give_out(devices: Iterable[str], allowed: Iterable[int], threads: int = 1) -> dict[str, Cores]:
    """Cores by device: ``threads`` each, in turn; the gateway's, which is the first, is given out last.

    Backends of one device share its cores, as they do in the simulation. More devices than cores share, too.
    """
    cores = sorted(allowed)
    gateway, turns = frozenset(cores[:1]), cycle([*cores[1:], cores[0]])
    size = min(threads, max(len(cores) - 1, 1))
    return {name: Cores(frozenset(islice(turns, size)), gateway) for name in dict.fromkeys(devices)}


def shared(given: Mapping[str, Cores]) -> bool:
    """Whether two devices have a core in common, or one has the gateway's."""
    owned = [core for cores in given.values() for core in cores.backend]
    return len(set(owned)) < len(owned) or not all(cores.apart for cores in given.values())
