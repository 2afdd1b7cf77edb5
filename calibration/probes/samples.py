"""samples: repeated measurements of the same work, brought down to one point each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from statistics import mean, median
from typing import Any

from simcore.step import Step

DISTURBED = 1.05
"""Wall time over processor time beyond which another process had the core meanwhile."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One timing, in seconds: of the wall clock and of the thread's own processor time."""

    seconds: float
    cpu: float

    @property
    def disturbed(self) -> bool:
        """Whether another process had the core for a noticeable part of it."""
        return self.seconds > DISTURBED * self.cpu


def undisturbed(samples: Sequence[Sample], device: str) -> list[float]:
    """Seconds of the samples that had the core to themselves, or of all if none had.

    On a GPU the processor waits, so its time says nothing and all samples count.
    """
    calm = [sample.seconds for sample in samples if not sample.disturbed]
    return calm if calm and device == "cpu" else [sample.seconds for sample in samples]


@dataclass(frozen=True, slots=True)
class StepPoint:
    """The median of repeated engine steps of the same work."""

    scene: str
    step: Step
    seconds: float
    samples: tuple[float, ...]
    held_out: bool

    @property
    def kind(self) -> str:
        """``prefill``, ``decode`` or ``mixed``."""
        return self.step.kind


def step_points(records: Iterable[dict[str, Any]], device: str) -> list[StepPoint]:
    """Points from recorded steps ``{scene, held_out, label, step, seconds, cpu}``, one a scene and label."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        groups[record["scene"], record["label"]].append(record)
    return [_step_point(group, device) for group in groups.values()]


def _step_point(group: list[dict[str, Any]], device: str) -> StepPoint:
    seconds = undisturbed([Sample(record["seconds"], record["cpu"]) for record in group], device)
    # Steps of one label differ only in the context that grows by a token a step.
    features = {f.name: mean(record["step"][f.name] for record in group) for f in fields(Step)}
    step = Step(**{n: v if n == "prefill_attention" else round(v) for n, v in features.items()})
    return StepPoint(group[0]["scene"], step, median(seconds), tuple(seconds), group[0]["held_out"])


@dataclass(frozen=True, slots=True)
class EmbedPoint:
    """The median of repeated batches of the same texts: all of it, and the tokeniser's part."""

    texts: tuple[int, ...]
    seconds: float
    tokenise: float
    samples: tuple[float, ...]
    held_out: bool


def embed_points(records: Iterable[dict[str, Any]], device: str) -> list[EmbedPoint]:
    """Points from recorded batches ``{texts, held_out, seconds, tokenise, cpu}``, one a composition."""
    groups: dict[tuple[int, ...], list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        groups[tuple(record["texts"])].append(record)
    return [_embed_point(texts, group, device) for texts, group in groups.items()]


def _embed_point(texts: tuple[int, ...], group: list[dict[str, Any]], device: str) -> EmbedPoint:
    seconds = undisturbed([Sample(record["seconds"], record["cpu"]) for record in group], device)
    tokenise = median(record["tokenise"] for record in group)
    return EmbedPoint(texts, median(seconds), tokenise, tuple(seconds), group[0]["held_out"])
