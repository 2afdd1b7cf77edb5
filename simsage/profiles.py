"""The profiles that a scenario needs: checked before anything runs, each loaded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from simcore.errors import BadInput, Fault
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile
from simcore.scenario.check_capacity import check_capacity
from simcore.scenario.check_models import check_front_ends, check_models
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.finding import Finding
from simcore.scenario.yaml_file import read_source

Check = Callable[[ScenarioDocument, Mapping[str, ProfileDocument]], Iterable[Finding]]

PART_OF = {"llm": "llm", "embedding": "embedding", "retriever": "retrieval"}
"""The part of a profile that each kind of backend takes its times from."""


def profile_fault(name_or_path: str, base: Path) -> str | None:
    """What is wrong with a profile that a scenario in folder ``base`` names, or None."""
    try:
        load_profile(name_or_path, base)
    except BadInput as bad:
        return "; ".join(_told(fault) for fault in bad.faults)
    return None


def load_profiles(documents: Iterable[ScenarioDocument], base: Path) -> dict[str, ProfileDocument]:
    """Every profile that the documents name, by that name.

    Raises BadInput where one cannot be loaded or has no times for what it is named for.
    """
    profiles: dict[str, ProfileDocument] = {}
    faults: dict[Fault, None] = {}
    for document in documents:
        for key, name, part in _named(document):
            if name not in profiles:
                profiles[name] = load_profile(name, base)
            if getattr(profiles[name], part) is None:
                faults[_unfit(document.name, key, name, part, profiles[name])] = None
    if faults:
        raise BadInput(faults)
    return profiles


def check_against_profiles(
    file: Path,
    documents: Iterable[ScenarioDocument],
    profiles: Mapping[str, ProfileDocument],
    checks: Sequence[Check] = (check_models, check_front_ends, check_capacity),
) -> None:
    """Raise BadInput, with the lines of ``file``, for what the resolved documents ask of other profiles."""
    found = (finding for document in documents for check in checks for finding in check(document, profiles))
    if findings := dict.fromkeys(found):
        source = read_source(file)
        raise BadInput(source.fault(finding) for finding in findings)


def _named(document: ScenarioDocument) -> Iterator[tuple[str, str, str]]:
    """Where the document names a profile, its name, and the part that it must have."""
    for key, group in document.backends.items():
        if group.profile is not None:
            yield f"backends.{key}.profile", group.profile, PART_OF[group.kind]
    if (costs := document.control_plane.costs_profile) is not None:
        yield "control_plane.costs_profile", costs, "control"


def _unfit(scenario: str, key: str, name: str, part: str, profile: ProfileDocument) -> Fault:
    has = " and ".join(p for p in (*PART_OF.values(), "control") if getattr(profile, p) is not None)
    found = f"{name!r}, which has times of {has or 'nothing'} only"
    return Fault(scenario, 0, key, found, f"a profile with times of kind {part}")


def _told(fault: Fault) -> str:
    return f"{fault.key + ': ' if fault.key else ''}{fault.found} ({fault.allowed})"
