"""Where backends used their profiles outside the range they were measured in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simcore.backend import Backend
from simcore.embedding_server import EmbeddingServer
from simcore.llm.replica import Replica
from simcore.profile.use import Profiles, embedding_profile, llm_profile
from simcore.result import RangeExcess, worst
from simcore.scenario.cluster import EmbeddingBackends, LLMBackends, RetrieverBackends


def range_excesses(
    backends: Sequence[Backend],
    specs: Sequence[LLMBackends | EmbeddingBackends | RetrieverBackends],
    profiles: Profiles,
) -> list[RangeExcess]:
    """Where the backends left the ranges of their profiles."""
    every = (
        excess
        for backend, spec in zip(backends, specs, strict=True)
        for excess in _used(backend, spec, profiles)
    )
    return worst(excess for excess in every if excess.used > excess.high)


def _used(
    backend: Backend, spec: LLMBackends | EmbeddingBackends | RetrieverBackends, profiles: Profiles
) -> Iterable[RangeExcess]:
    if isinstance(backend, Replica) and isinstance(spec, LLMBackends):
        llm = llm_profile(profiles, spec.profile)
        batch, context, chunk = backend.extremes
        yield RangeExcess(spec.profile, "requests in a step", batch, *llm.batch_range)
        yield RangeExcess(spec.profile, "cached tokens per decoding request", context, *llm.context_range)
        yield RangeExcess(spec.profile, "prompt tokens in a step", chunk, *llm.chunk_range)
    if isinstance(backend, EmbeddingServer) and isinstance(spec, EmbeddingBackends):
        embedding = embedding_profile(profiles, spec.profile)
        yield RangeExcess(spec.profile, "texts in a batch", backend.most_texts, *embedding.batch_range)
        yield RangeExcess(spec.profile, "tokens in a text", backend.longest_text, *embedding.length_range)
