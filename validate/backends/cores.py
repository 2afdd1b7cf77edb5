"""Which cores the backends of a live cluster get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from calibration.cores import Cores


def give_out(devices: Iterable[str], allowed: Iterable[int], threads: int = 1) -> dict[str, Cores]:
    """Cores by device: ``threads`` each, round robin over all but the gateway's, which is the first.

    Backends of one device share its cores, as they do in the simulation. More devices than cores share, too,
    and a single core is the gateway's as well.
    """
    cores = sorted(allowed)
    gateway, others = frozenset(cores[:1]), cores[1:] or cores
    given = {}
    for number, name in enumerate(dict.fromkeys(devices)):
        turns = range(number * threads, number * threads + min(threads, len(others)))
        given[name] = Cores(frozenset(others[turn % len(others)] for turn in turns), gateway)
    return given


def shared(given: Mapping[str, Cores]) -> bool:
    """Whether two devices have a core in common, or one has the gateway's."""
    owned = [core for cores in given.values() for core in cores.backend]
    return len(set(owned)) < len(owned) or not all(cores.apart for cores in given.values())
