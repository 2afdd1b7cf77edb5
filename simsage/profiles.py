"""The profiles that a scenario needs: checked before anything runs, each loaded once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from simcore.errors import BadInput, Fault
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile
from simcore.scenario.cluster import RetrieverBackends
from simcore.scenario.document import ScenarioDocument


def profile_fault(name_or_path: str, base: Path) -> str | None:
    """What is wrong with a profile that a scenario in folder ``base`` names, or None."""
    try:
        load_profile(name_or_path, base)
    except BadInput as bad:
        return "; ".join(_told(fault) for fault in bad.faults)
    return None


def load_profiles(documents: Iterable[ScenarioDocument], base: Path) -> dict[str, ProfileDocument]:
    """Every profile that backends of the documents name, by that name.

    Raises BadInput where one cannot be loaded or has no times for the kind of backend that it is named for.
    """
    profiles: dict[str, ProfileDocument] = {}
    faults: dict[Fault, None] = {}
    for document in documents:
        for key, group in document.backends.items():
            if isinstance(group, RetrieverBackends):
                continue
            if group.profile not in profiles:
                profiles[group.profile] = load_profile(group.profile, base)
            if getattr(profiles[group.profile], group.kind) is None:
                faults[_unfit(document.name, key, group.profile, group.kind, profiles[group.profile])] = None
    if faults:
        raise BadInput(faults)
    return profiles


def _unfit(scenario: str, key: str, name: str, kind: str, profile: ProfileDocument) -> Fault:
    has = " and ".join(part for part in ("llm", "embedding") if getattr(profile, part) is not None)
    found = f"{name!r}, which has times of {has or 'nothing'} only"
    return Fault(scenario, 0, f"backends.{key}.profile", found, f"a profile with times of kind {kind}")


def _told(fault: Fault) -> str:
    return f"{fault.key + ': ' if fault.key else ''}{fault.found} ({fault.allowed})"
