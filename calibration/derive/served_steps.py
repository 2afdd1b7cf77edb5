"""served_steps: the steps of a chat server under load, from which a profile of one is composed.

The form's one cost of a cached token stands for two kernels, attention of decodes alone and in mixed steps,
so its points lie where a loaded server's steps do: by the lengths of its requests and the size of its engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import NormalDist

import numpy as np

from calibration.compose.composition import Composition
from calibration.compose.design import DesignedStep, Limits, between

CONTEXT = 1183
"""Mean KV length of a decoding request: a prompt and half an answer of the replayed ShareGPT requests."""
SPREAD = 0.42
"""Standard deviation of the logarithm of those lengths, over the same requests."""
AROUND = (0.8, 0.9, 1.0, 1.1, 1.2, 1.4)
"""KV lengths of decode steps, in `CONTEXT`."""
SMALL = (4, 8, 16, 24)
"""Batches below those in fours."""
MOST = 1.4
"""The largest batch, in that which fills the KV cache."""
MIXED = (0.5, 0.8, 0.9, 1.0)
"""Decodes of a mixed step, in that batch."""
TOKENS = (64, 128, 256, 512, 768, 1024, 1536, 2048)
PROMPTS = (1, 3)
COMPUTED = (0, 2048, 8192)

Scenes = Iterator[tuple[str, Composition]]


def served_steps(limits: Limits) -> list[DesignedStep]:
    """The steps within the limits: fitted ones on a grid, held-out ones between its points."""
    full = min(limits.max_num_seqs, limits.kv_tokens // CONTEXT)
    largest = min(limits.max_num_seqs, round(MOST * full))
    batches = [*SMALL, *range(28, largest + 1, 4)]
    beside = min(full, limits.max_num_seqs - max(PROMPTS))
    mixed = [round(share * beside) for share in MIXED]
    contexts = [round(share * CONTEXT) for share in AROUND]
    fitted = batches, contexts, mixed, [t for t in TOKENS if t <= limits.max_num_batched_tokens]
    unseen = [between(marks) for marks in fitted]
    return [
        DesignedStep(scene, composition, held_out)
        for grid, held_out in ((fitted, False), (unseen, True))
        for scene, composition in _scenes(limits, *grid)
    ]


def chunks(tokens: int, prompts: int, computed: int = 0) -> tuple[tuple[int, int], ...]:
    """That many tokens in all: the rest of a prompt, after ``computed`` cached ones, and whole prompts."""
    each = tokens // prompts
    return (computed, tokens - each * (prompts - 1)), *((0, each),) * (prompts - 1)


def spread(mean: float, count: int) -> tuple[int, ...]:
    """``count`` log-normal KV lengths of that mean, at evenly spaced quantiles."""
    quantiles = [NormalDist(sigma=SPREAD).inv_cdf((i + 0.5) / count) for i in range(count)]
    lengths = np.exp(quantiles)
    return tuple(max(1, round(length)) for length in (mean * lengths / lengths.mean()).tolist())


def _scenes(
    limits: Limits,
    batches: Sequence[int],
    contexts: Sequence[int],
    mixed: Sequence[int],
    tokens: Sequence[int],
) -> Scenes:
    """A full KV cache clips the KV length of a batch."""
    for size, prompts, computed in product(tokens, PROMPTS, COMPUTED):
        yield f"prefill-{size}", Composition(chunks=chunks(size, prompts, computed))
    for batch in batches:
        for context in sorted({min(context, limits.kv_tokens // batch) for context in contexts}):
            yield f"decode-{batch}", Composition(spread(context, batch))
    for batch, size, prompts in product(mixed, tokens, PROMPTS):
        decodes = spread(min(CONTEXT, limits.kv_tokens // batch), batch)
        room = min(size, limits.max_num_batched_tokens - batch)
        yield f"mixed-{batch}", Composition(decodes, chunks(room, prompts))
