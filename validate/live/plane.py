"""The live control plane: the one of the scenario, over real backends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simcore.control.build import build_control_plane
from simcore.control.facts import facts_of
from simcore.control.plane import ControlPlane
from simcore.control.states import backend_states
from simcore.profile.use import Profiles, embedding_profile, llm_profile
from simcore.scenario.cluster import ControlPlaneSpec, EmbeddingBackends, LLMBackends, RetrieverBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.places import Place, places
from simcore.workload.randomness import Streams
from validate.live.backend import LiveBackend

NOT_LIVE = ("hop_latency_ms", "decision_cost_ms", "message_cost_ms")
"""Costs that a simulation has to add, and that are real where the control plane is."""


class Address(NamedTuple):
    """Where a real backend listens, and the name that it serves its model under."""

    url: str
    model: str


def live_spec(spec: ControlPlaneSpec) -> ControlPlaneSpec:
    """The control plane without the costs that a simulation has to add: here hops and decisions are real."""
    return spec.model_copy(update=dict.fromkeys(NOT_LIVE, 0.0))


def with_gateway_costs(document: ScenarioDocument, profiles: Profiles) -> ScenarioDocument:
    """The scenario with what simsage's gateway costs, where it says nothing and a backend's profile knows.

    Live, a gateway always stands between clients and backends, so its simulation must have one.
    """
    plane = document.control_plane
    if plane.model_fields_set & {*NOT_LIVE, "costs_profile"}:
        return document
    for place in live_places(document):
        if isinstance(place.spec, LLMBackends | EmbeddingBackends):
            name = place.spec.profile
            if profiles[name].control is not None:
                costs = plane.model_copy(update={"costs_profile": name})
                return document.model_copy(update={"control_plane": costs})
    return document


def live_places(scenario: ScenarioDocument) -> list[Place]:
    """The scenario's backends that a client reaches through the OpenAI API; retrievers are not among them."""
    return [place for place in places(scenario) if not isinstance(place.spec, RetrieverBackends)]


def index_places(scenario: ScenarioDocument) -> list[Place]:
    """The scenario's retrievers on a profile's index; clients reach them by themselves."""
    found = (place for place in places(scenario) if isinstance(place.spec, RetrieverBackends))
    return [place for place in found if place.spec.profile is not None]


def live_backends(
    scenario: ScenarioDocument, profiles: Profiles, addresses: Mapping[str, Address]
) -> list[LiveBackend]:
    """The backends of a resolved scenario at the addresses given by their names."""
    found = live_places(scenario)
    facts = (facts_of(place.spec, place.device, profiles, scenario.control_plane) for place in found)
    return [
        LiveBackend(
            name=place.name,
            url=addresses[place.name].url,
            model=addresses[place.name].model,
            public=public_model(place, profiles),
            device=place.device,
            by_priority=_by_priority(place),
            state=state,
        )
        for place, state in zip(found, backend_states(facts), strict=True)
    ]


def live_plane(scenario: ScenarioDocument, backends: Sequence[LiveBackend]) -> ControlPlane:
    """The simulator's control plane over them, its policies' draws those of the first replication."""
    streams = Streams(scenario.seed, 0)
    return build_control_plane(
        live_spec(scenario.control_plane),
        [backend.state for backend in backends],
        lambda service: streams.generator("control plane", service),
    )


def public_model(place: Place, profiles: Profiles) -> str:
    """What clients call the model of a backend: the name that its profile has for it."""
    if isinstance(place.spec, LLMBackends):
        return llm_profile(profiles, place.spec.profile).model
    assert isinstance(place.spec, EmbeddingBackends)
    return embedding_profile(profiles, place.spec.profile).model


def _by_priority(place: Place) -> bool:
    return isinstance(place.spec, LLMBackends) and place.spec.engine.scheduling_policy == "priority"
