"""facts_of: what a control plane is told of a backend, from the scenario and the backend's profile."""

from __future__ import annotations

from simcore.control.states import BackendFacts
from simcore.profile.use import Profiles, embedding_profile, llm_profile, step_seconds
from simcore.request import Service
from simcore.scenario.cluster import ControlPlaneSpec, EmbeddingBackends, LLMBackends
from simcore.scenario.places import BackendSpec
from simcore.step import Step


def facts_of(spec: BackendSpec, device: str, profiles: Profiles, plane: ControlPlaneSpec) -> BackendFacts:
    """The same for a simulated backend and for a real one in its place."""
    if isinstance(spec, LLMBackends):
        llm = llm_profile(profiles, spec.profile)
        speed = 1.0 / step_seconds(llm)(Step(decodes=1, decode_context=256))
        return BackendFacts(Service.LLM, device, plane.max_in_flight, llm.price_per_hour, speed)
    if isinstance(spec, EmbeddingBackends):
        price = embedding_profile(profiles, spec.profile).price_per_hour
        return BackendFacts(Service.EMBEDDING, device, plane.max_in_flight_embedding, price)
    return BackendFacts(Service.RETRIEVER, device, None)
