"""design: the steps that a profile is composed from, up to the limits of an engine.

As in the designed experiment on a real engine: prefill alone, decode alone, both at once. Steps between the
fitted ones, at the geometric middle of each two, are held out: on them the fit is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from calibration.compose.composition import Composition, StepSeconds
from calibration.probes.samples import StepPoint

SHORTEST_CHUNK = 16
SHORTEST_CONTEXT = 64
PROMPTS = 4
"""Prompts in one step of several."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an engine's steps stay within; ``kv_tokens`` is what its KV cache holds."""

    max_num_seqs: int
    max_num_batched_tokens: int
    max_model_len: int
    kv_tokens: int


@dataclass(frozen=True, slots=True)
class DesignedStep:
    """A step of the design; scenes are what cross-validation leaves out whole."""

    scene: str
    composition: Composition
    held_out: bool


def design(limits: Limits) -> list[DesignedStep]:
    """The steps within the limits: fitted ones on a grid, held-out ones between its points.

    Chunks are close to each other, and not all powers of two: kernels are at their best at those, and
    prompts are not of such lengths.
    """
    chunks = rungs(SHORTEST_CHUNK, limits.max_num_batched_tokens, 2**0.5)
    batches = rungs(1, limits.max_num_seqs, 2)
    contexts = rungs(min(SHORTEST_CONTEXT, limits.max_model_len), limits.max_model_len, 4)
    few = batches[::2], contexts[::2], chunks[::3]
    fitted = [*_prefills(chunks, limits), *_decodes(batches, contexts), *_mixed(*few)]
    unseen = [
        *_prefills(between(chunks), limits),
        *_decodes(between(batches), between(contexts)),
        *_mixed(*map(between, few)),
    ]
    return [
        DesignedStep(scene, composition, held_out)
        for scenes, held_out in ((fitted, False), (unseen, True))
        for scene, composition in scenes
        if _fits(composition, limits)
    ]


def composed_points(seconds: StepSeconds, steps: Iterable[DesignedStep]) -> list[StepPoint]:
    """Each step with the time that ``seconds`` composes for it."""
    timed = ((step, seconds(step.composition)) for step in steps)
    return [StepPoint(s.scene, s.composition.step, time, (time,), s.held_out) for s, time in timed]


def rungs(low: int, high: int, ratio: float) -> list[int]:
    """``low``, ``low * ratio`` and so on, rounded, below ``high``, and ``high`` itself."""
    found, mark = [], float(low)
    while round(mark) < high:
        found.append(round(mark))
        mark *= ratio
    return [*found, high]


def between(values: Sequence[int]) -> list[int]:
    """The geometric middle of each two neighbours that leave room for one."""
    middles = [round((low * high) ** 0.5) for low, high in pairwise(values)]
    return sorted(set(middles) - set(values))


Scenes = Iterator[tuple[str, Composition]]


def _prefills(chunks: Sequence[int], limits: Limits) -> Scenes:
    """Each number of tokens as one prompt, as several, and as the end of prompts that are partly cached."""
    for tokens in chunks:
        prompts = -(-tokens // limits.max_model_len)
        for count in {prompts, max(prompts, PROMPTS)}:
            if count == 1 or tokens // count >= SHORTEST_CHUNK:
                yield f"prefill-{tokens}", Composition(chunks=((0, tokens // count),) * count)
        for computed in rungs(4 * SHORTEST_CONTEXT, limits.max_model_len, 4):
            yield f"prefill-{tokens}", Composition(chunks=((computed, tokens),))


def _decodes(batches: Sequence[int], contexts: Sequence[int]) -> Scenes:
    for context in contexts:
        for batch in batches:
            yield f"decode-{context}", Composition(decodes=(context,) * batch)


def _mixed(batches: Sequence[int], contexts: Sequence[int], chunks: Sequence[int]) -> Scenes:
    for context in contexts:
        for batch in batches:
            for tokens in chunks:
                yield f"mixed-{context}x{batch}", Composition((context,) * batch, ((0, tokens),))


def _fits(composition: Composition, limits: Limits) -> bool:
    step = composition.step
    longest = max(
        [*composition.decodes, *(computed + tokens for computed, tokens in composition.chunks)], default=0
    )
    held = sum(composition.decodes) + sum(computed + tokens for computed, tokens in composition.chunks)
    return (
        step.batch <= limits.max_num_seqs
        and step.tokens <= limits.max_num_batched_tokens
        and longest <= limits.max_model_len
        and held <= limits.kv_tokens
    )
