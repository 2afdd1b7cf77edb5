"""All topics by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simsage.paper.facts import Facts
from simsage.paper.table import Table
from simsage.paper.topics import (
    breakdown,
    claims,
    cost,
    isolation,
    latency,
    queues,
    regimes,
    scaling,
    side_effects,
    stages,
    sustained,
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A heading, and what makes the paragraphs and the table below it."""

    title: str
    told: Callable[[Facts], list[str]]
    table: Callable[[Facts], Table]


_MODULES = (
    *(claims, latency, sustained, scaling, isolation, stages),
    *(regimes, cost, breakdown, queues, side_effects),
)
TOPICS: Mapping[str, Topic] = {
    module.__name__.rpartition(".")[2]: Topic(module.TITLE, module.told, module.table) for module in _MODULES
}
