"""Whether profiles are of the models that a scenario wants served."""

from __future__ import annotations

from collections.abc import Iterator

from simcore.profile.use import Profiles, embedding_profile, llm_profile
from simcore.scenario.cluster import LLMBackends, RetrieverBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.finding import Finding


def check_models(scenario: ScenarioDocument, profiles: Profiles) -> Iterator[Finding]:
    """A finding for each group of backends that names a model which its profile is not of."""
    for group, spec in scenario.backends.items():
        if isinstance(spec, RetrieverBackends) or spec.model is None:
            continue
        part = llm_profile if isinstance(spec, LLMBackends) else embedding_profile
        measured = part(profiles, spec.profile).model
        if spec.model != measured:
            allowed = f"the model that profile {spec.profile} is of, {measured!r}, or a profile of this one"
            yield Finding(("backends", group, "model"), repr(spec.model), allowed)
