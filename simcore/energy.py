"""Energy of a cluster: what each backend's work took, and its share of what its device draws idle."""

from __future__ import annotations

from collections.abc import Sequence

from simcore.profile.power import Power
from simcore.result import BackendUsage


def add_idle(usages: Sequence[BackendUsage], powers: Sequence[Power | None]) -> None:
    """Hold the backends' ``joules``, so far of their steps alone, to the limit and add the idle energy.

    ``powers`` has one entry a backend. The idle power of a device counts once, that of the backend which
    names the highest, in equal shares. Where one backend of a device has no power, nothing is known of the
    device, and none of its backends has joules.
    """
    devices: dict[str, list[tuple[BackendUsage, Power | None]]] = {}
    for usage, power in zip(usages, powers, strict=True):
        devices.setdefault(usage.device, []).append((usage, power))
    for beside in devices.values():
        known = [(usage, power) for usage, power in beside if power is not None]
        if len(known) == len(beside):
            _share(known)
        else:
            for usage, _ in beside:
                usage.joules = None


def _share(known: Sequence[tuple[BackendUsage, Power]]) -> None:
    """A backend's steps stay below the limit over the time it worked, all of them together over the span."""
    idle = max(power.idle_watts for _, power in known)
    left = max(power.limit_watts for _, power in known) - idle
    span = known[0][0].span
    spent = [min(usage.joules or 0.0, left * usage.busy) for usage, _ in known]
    held = min(1.0, left * span / sum(spent)) if any(spent) else 1.0
    for (usage, _), joules in zip(known, spent, strict=True):
        usage.joules = held * joules + idle * span / len(known)
