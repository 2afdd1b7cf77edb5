"""Members: one replication on draws from the profiles' ensembles, with the best fit's random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from simcore.profile.ensemble import member_profiles
from simcore.profile.use import Profiles
from simcore.result import SimulationResult
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate

MOST_MEMBERS = 10
"""Draws that are simulated: more would narrow the interval that they leave by 14% at most."""


def draws_of(profiles: Profiles) -> int:
    """How many draws from the ensembles of these profiles are simulated; 0 where none has an ensemble."""
    return min(MOST_MEMBERS, max((len(profile.ensemble) for profile in profiles.values()), default=0))


def simulate_members(
    scenario: ScenarioDocument, profiles: Profiles, replication: int, base: Path
) -> Iterator[SimulationResult]:
    """What `simulate` gives for each draw in turn; how far its figures are from the best fit's is doubt."""
    for number in range(draws_of(profiles)):
        yield simulate(scenario, member_profiles(profiles, number), replication, base)
