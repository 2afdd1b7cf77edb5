"""machine_pace: how fast the machine was in a replay, by the steps that its engines took then.

A shared host makes a machine a tenth slower for minutes on end, which moves queueing latencies by more. How
long steps lasted beside what the profile says of the same steps is one number a replay, which knows nothing
of the latencies that are judged nor of their queues.
"""

from __future__ import annotations

from collections.abc import Sequence

from simcore.profile.slowed import slowed
from simcore.profile.use import Profiles
from validate.pace import Pace


def machine_pace(paces: Sequence[Pace]) -> float | None:
    """How many times longer than by their profiles all steps of the engines on the CPU took together.

    None where no such engine was started here.
    """
    found = [pace for pace in paces if pace.on_cpu]
    if not found:
        return None
    return sum(pace.live for pace in found) / sum(pace.profile for pace in found)


def at_pace(profiles: Profiles, pace: float | None) -> Profiles:
    """The profiles of a CPU that takes so many times as long, if that is known; others stay."""
    if pace is None:
        return profiles
    return {name: slowed(one, pace) if one.on_cpu else one for name, one in profiles.items()}
