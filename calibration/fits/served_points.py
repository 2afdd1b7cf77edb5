"""served_points: what a server's own steps lasted under designed loads, as points to fit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from statistics import mean, median
from typing import Any

from calibration.probes.frontend import periods
from calibration.probes.samples import StepPoint
from simcore.step import Step

HELD_OUT = 4
"""Every so many loads one is held out."""

Key = tuple[str, int, int, int]


def served_points(records: Iterable[dict[str, Any]]) -> list[StepPoint]:
    """One point for each load and composition of its steps: the median of their seconds from end to end.

    Steps of one composition differ in context alone, which a load lets grow by its own output. Records are
    ``{load, steps}``; a load that was played again adds to its points.
    """
    groups: dict[Key, list[tuple[dict[str, Any], float]]] = defaultdict(list)
    for record in records:
        for step, seconds in periods(record["steps"]):
            groups[record["load"], step["decodes"], step["prefills"], step["prefill_tokens"]].append(
                (step, seconds)
            )
    loads = list(dict.fromkeys(load for load, *_ in groups))
    held_out = set(loads[HELD_OUT - 1 :: HELD_OUT])
    return [_point(key[0], group, key[0] in held_out) for key, group in groups.items()]


def _point(load: str, group: Sequence[tuple[dict[str, Any], float]], held_out: bool) -> StepPoint:
    features = {f.name: mean(step[f.name] for step, _ in group) for f in fields(Step)}
    step = Step(**{n: v if n == "prefill_attention" else round(v) for n, v in features.items()})
    seconds = tuple(taken for _, taken in group)
    return StepPoint(load, step, median(seconds), seconds, held_out)
