"""Columns: what is drawn for many requests at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from simcore.request import Kind
from simcore.scenario.workload import MOST_TEXTS, Distribution, Prefix, Stage, StreamSpec
from simcore.workload.distributions import draw_counts
from simcore.workload.prefix import PrefixKeys

GeneratorOf = Callable[[str], np.random.Generator]
"""The generator for a purpose; asked again it may go on where it was."""

KINDS = {
    "chat": Kind.LLM_CHAT,
    "generate": Kind.LLM_GENERATE,
    "embedding": Kind.EMBEDDING,
    "retrieval": Kind.RETRIEVAL,
    "pipeline": Kind.PIPELINE,
}


@dataclass(slots=True)
class Columns:
    """One value a request in each list, named as in `simcore.request.Request`."""

    prompt_tokens: list[int]
    output_tokens: list[int]
    text_tokens: list[tuple[int, ...]]
    prefix_keys: list[tuple[int, ...]]
    prefix_groups: list[int]


def draw_columns(part: StreamSpec | Stage, n: int, generator_of: GeneratorOf, keys: PrefixKeys) -> Columns:
    """Lengths and shared prefixes of ``n`` requests of a stream or stage, from one generator a purpose."""
    texts: list[tuple[int, ...]] = [()] * n
    if part.text_tokens is not None:
        texts = _draw_texts(part.texts, part.text_tokens, n, generator_of)
        prompts = [sum(lengths) for lengths in texts]
    else:
        prompts = _draw_tokens(part.prompt_tokens, n, generator_of, "prompt_tokens")
    outputs = _draw_tokens(part.output_tokens, n, generator_of, "output_tokens")
    return with_prefix(part.prefix, Columns(prompts, outputs, texts, [()] * n, [-1] * n), generator_of, keys)


def with_prefix(
    prefix: Prefix | None, columns: Columns, generator_of: GeneratorOf, keys: PrefixKeys
) -> Columns:
    """The columns with a prefix group drawn for each request, if there is a prefix."""
    if prefix is not None:
        n = len(columns.prompt_tokens)
        columns.prefix_groups = generator_of("prefix").integers(prefix.groups, size=n).tolist()
        shared = [min(prefix.tokens, tokens) for tokens in columns.prompt_tokens]
        columns.prefix_keys = [*map(keys.of_group, columns.prefix_groups, shared)]
    return columns


def _draw_tokens(spec: Distribution | None, n: int, generator_of: GeneratorOf, purpose: str) -> list[int]:
    if spec is None:
        return [0] * n
    drawn: list[int] = draw_counts(spec, n, generator_of(purpose)).tolist()
    return drawn


def _draw_texts(
    texts: Distribution | None, tokens: Distribution, n: int, generator_of: GeneratorOf
) -> list[tuple[int, ...]]:
    counts = [1] * n
    if texts is not None:
        counts = np.minimum(draw_counts(texts, n, generator_of("texts")), MOST_TEXTS).tolist()
    ends = [0, *accumulate(counts)]
    lengths = draw_counts(tokens, ends[-1], generator_of("text_tokens")).tolist()
    return [tuple(lengths[start:end]) for start, end in pairwise(ends)]
