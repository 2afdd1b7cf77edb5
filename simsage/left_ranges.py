"""What a run says where it left the range that a profile was measured in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simcore.result import RangeExcess


def left_ranges(excesses: Sequence[RangeExcess], ensembles: Mapping[str, int], simulated: int) -> list[str]:
    """Sentences: how far each quantity left its profile's range, then what that does to the intervals.

    ``ensembles`` has the number of members by profile, ``simulated`` says how many were simulated.
    """
    left = dict.fromkeys(excess.profile for excess in excesses)
    return [*(f"{excess}." for excess in excesses), *(_meaning(p, ensembles[p], simulated) for p in left)]


def _meaning(profile: str, members: int, simulated: int) -> str:
    """What the intervals hold of an extrapolation: nothing, or how far fits of one form diverge."""
    begun = f"There profile {profile} extrapolates, and the intervals"
    if not members:
        return f"{begun} are of chance alone: it has no ensemble of fits to tell how wrong that may be."
    if not simulated:
        return f"{begun} are of chance alone: the members of its ensemble were not simulated."
    return f"{begun} hold how far the fits of its ensemble diverge there, not whether their form holds."
