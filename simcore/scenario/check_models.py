"""Whether profiles are of the models, and have the API servers, that a scenario wants."""

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


def check_front_ends(scenario: ScenarioDocument, profiles: Profiles) -> Iterator[Finding]:
    """A finding for each setting of an API server that no profile models."""
    modelled = False
    for group, spec in scenario.backends.items():
        if not isinstance(spec, LLMBackends):
            continue
        if llm_profile(profiles, spec.profile).frontend is not None:
            modelled = True
            continue
        for key in ("api_server_count", "stream_interval"):
            if (value := getattr(spec.engine, key)) is not None:
                allowed = (
                    f"nothing: profile {spec.profile} does not model the API server (it has no frontend)"
                )
                yield Finding(("backends", group, "engine", key), repr(value), allowed)
    if scenario.control_plane.message_cost_ms and not modelled:
        allowed = "0: no profile of an LLM models the API server, which sends the messages"
        yield Finding(
            ("control_plane", "message_cost_ms"), repr(scenario.control_plane.message_cost_ms), allowed
        )
