"""Warnings about profiles that were used outside the range they were measured in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simcore.backend import Backend
from simcore.embedding_server import EmbeddingServer
from simcore.llm.replica import Replica
from simcore.profile.use import Profiles, embedding_profile, llm_profile
from simcore.scenario.cluster import EmbeddingBackends, LLMBackends, RetrieverBackends

Used = tuple[str, str, float, tuple[float, float]]
"""Profile, quantity, the most of it that was used, and its measured range."""


def warn_of_ranges(
    backends: Sequence[Backend],
    specs: Sequence[LLMBackends | EmbeddingBackends | RetrieverBackends],
    profiles: Profiles,
) -> list[str]:
    """One sentence per profile and quantity whose range was left, with the worst value used."""
    worst: dict[tuple[str, str], Used] = {}
    for backend, spec in zip(backends, specs, strict=True):
        for used in _used(backend, spec, profiles):
            key = used[:2]
            if used[2] > used[3][1] and (key not in worst or used[2] > worst[key][2]):
                worst[key] = used
    return [
        f"profile {profile}: {quantity} up to {most:.0f} were used, {low:.0f} to {high:.0f} were measured"
        for profile, quantity, most, (low, high) in worst.values()
    ]


def _used(
    backend: Backend, spec: LLMBackends | EmbeddingBackends | RetrieverBackends, profiles: Profiles
) -> Iterable[Used]:
    if isinstance(backend, Replica) and isinstance(spec, LLMBackends):
        llm = llm_profile(profiles, spec.profile)
        batch, context, chunk = backend.extremes
        yield spec.profile, "requests in a step", batch, llm.batch_range
        yield spec.profile, "cached tokens per decoding request", context, llm.context_range
        yield spec.profile, "prompt tokens in a step", chunk, llm.chunk_range
    if isinstance(backend, EmbeddingServer) and isinstance(spec, EmbeddingBackends):
        embedding = embedding_profile(profiles, spec.profile)
        yield spec.profile, "texts in a batch", backend.most_texts, embedding.batch_range
        yield spec.profile, "tokens in a text", backend.longest_text, embedding.length_range
