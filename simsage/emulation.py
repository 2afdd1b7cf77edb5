"""Emulation: a scenario's LLM backends on the step times of one profile, on this machine's servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from simcore.errors import BadInput, Fault
from simcore.profile.document import ProfileDocument
from simcore.scenario.cluster import LLMBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.places import places
from validate.emulate.profile import emulated

COSTS = "control_plane.costs_profile"


def profile_overrides(document: ScenarioDocument, profile: str) -> dict[str, str]:
    """The overrides that put all LLM backends on ``profile``, a shipped one's name or a file.

    BadInput if the scenario has none.
    """
    groups = [key for key, spec in document.backends.items() if isinstance(spec, LLMBackends)]
    if not groups:
        raise BadInput([Fault(document.name, 0, "backends", "no LLM", "an LLM to emulate")])
    name = str(Path(profile).resolve()) if Path(profile).is_file() else profile
    return {f"backends.{key}.profile": name for key in groups}


def emulated_profiles(
    documents: Sequence[ScenarioDocument], profiles: Mapping[str, ProfileDocument]
) -> dict[str, ProfileDocument]:
    """The profiles, those of emulated LLMs with the server overheads of the ``costs_profile``.

    That profile is of this machine, so its servers are those that run here. BadInput where a document has
    none or none with an LLM, or where an LLM shares its device: what the others on a GPU would do to it is
    not emulated.
    """
    if faults := dict.fromkeys(fault for document in documents for fault in _faults(document, profiles)):
        raise BadInput(faults)
    made = dict(profiles)
    for document in documents:
        machine = profiles[str(document.control_plane.costs_profile)]
        made |= {name: emulated(profiles[name], machine) for name in _llm_profiles(document)}
    return made


def emulation_of(document: ScenarioDocument, profiles: Mapping[str, ProfileDocument]) -> dict[str, Any]:
    """What environment.json says of it: whose step times were waited for, whose overheads were simulated."""
    return {
        "step_times": sorted({profiles[name].name for name in _llm_profiles(document)}),
        "overheads": document.control_plane.costs_profile,
    }


def _faults(document: ScenarioDocument, profiles: Mapping[str, ProfileDocument]) -> Iterator[Fault]:
    costs = document.control_plane.costs_profile
    if costs is None or profiles[costs].llm is None:
        found = "none" if costs is None else f"{costs!r}, which has no LLM"
        yield Fault(document.name, 0, COSTS, found, "a profile of an LLM on this machine, for its overheads")
    there = list(places(document))
    for place in there:
        shared = [other.name for other in there if other.device == place.device and other != place]
        if isinstance(place.spec, LLMBackends) and shared:
            found = f"{place.name} beside {', '.join(shared)} on {place.device}"
            yield Fault(document.name, 0, "devices", found, "an emulated LLM alone on its device")


def _llm_profiles(document: ScenarioDocument) -> Iterator[str]:
    return (spec.profile for spec in document.backends.values() if isinstance(spec, LLMBackends))
