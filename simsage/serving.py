"""One variant of a scenario, with its profiles, ready to be put in front of real backends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simcore.errors import BadInput, Fault, one_of
from simcore.profile.document import ProfileDocument
from simcore.scenario.check_models import check_models
from simcore.scenario.document import ScenarioDocument, Variant
from simcore.scenario.load import load_scenario
from simcore.scenario.resolve import resolve
from simsage.bundled import find_scenario
from simsage.profiles import check_against_profiles, load_profiles, profile_fault


def load_variant(
    path: str, variant: str | None, overrides: Mapping[str, Any]
) -> tuple[ScenarioDocument, dict[str, ProfileDocument]]:
    """The scenario as that variant has it, at no point of its sweep: the load comes from outside.

    Raises BadInput, also where the scenario has several variants and none is named.
    """
    file = find_scenario(path)
    base = file.parent
    document = load_scenario(file, overrides, lambda name: profile_fault(name, base))
    resolved = resolve(document, chosen_variant(document, variant), None)
    profiles = load_profiles([resolved], base)
    check_against_profiles(file, [resolved], profiles, [check_models])
    return resolved, profiles


def chosen_variant(document: ScenarioDocument, name: str | None) -> Variant:
    """The variant of that name, or the only one."""
    variants = {variant.name: variant for variant in document.variants}
    if name is None and len(variants) == 1:
        return document.variants[0]
    if name in variants:
        return variants[name]
    found = "no --variant" if name is None else repr(name)
    raise BadInput([Fault(document.name, 0, "variants", found, one_of(variants, name or ""))])
