"""Where backends used their profiles outside the range they were measured in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simcore.backend import Backend
from simcore.embedding_server import EmbeddingServer
from simcore.extent import Extent
from simcore.llm.replica import Replica
from simcore.profile.use import Profiles, embedding_profile, llm_profile, retrieval_profile
from simcore.result import RangeExcess, worst
from simcore.retriever import Retriever
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
    return worst(excess for excess in every if excess.least < excess.low or excess.most > excess.high)


def _used(
    backend: Backend, spec: LLMBackends | EmbeddingBackends | RetrieverBackends, profiles: Profiles
) -> Iterator[RangeExcess]:
    for quantity, used, (low, high) in _extents(backend, spec, profiles):
        if spec.profile and used.most >= used.least:
            yield RangeExcess(spec.profile, quantity, used.least, used.most, low, high)


def _extents(
    backend: Backend, spec: LLMBackends | EmbeddingBackends | RetrieverBackends, profiles: Profiles
) -> Iterator[tuple[str, Extent, tuple[float, float]]]:
    """Quantities, what was used of each, and the profile's range."""
    if isinstance(backend, Replica) and isinstance(spec, LLMBackends):
        llm = llm_profile(profiles, spec.profile)
        batches, contexts, chunks = backend.extents
        yield "requests in a step", batches, llm.batch_range
        yield "cached tokens per decoding request", contexts, llm.context_range
        yield "prompt tokens in a step", chunks, llm.chunk_range
    if isinstance(backend, EmbeddingServer) and isinstance(spec, EmbeddingBackends):
        embedding = embedding_profile(profiles, spec.profile)
        yield "texts in a batch", backend.batches, embedding.batch_range
        yield "tokens in a text", backend.lengths, embedding.length_range
    if isinstance(backend, Retriever) and isinstance(spec, RetrieverBackends) and spec.profile and spec.k:
        index = retrieval_profile(profiles, spec.profile)
        counts = [count for count, _ in index.concurrency] or [1]
        asked = Extent()
        asked.take(spec.k)
        yield "results of a look-up", asked, index.k_range
        yield "look-ups under way", backend.under_way, (counts[0], counts[-1])
