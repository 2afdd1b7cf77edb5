"""What a control plane is told of the backends it has, before anything runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from simcore.control.pool import BackendState
from simcore.request import Service


class BackendFacts(NamedTuple):
    """What is known of a backend beforehand; dollars per hour and tokens per second of one request."""

    service: Service
    device: str
    max_in_flight: int | None
    price_per_hour: float = 0.0
    tokens_per_second: float = 1.0


def backend_states(facts: Iterable[BackendFacts]) -> list[BackendState]:
    """One state per backend; backends of one device become each other's neighbours."""
    states = []
    on_device: dict[str, list[BackendState]] = defaultdict(list)
    for index, fact in enumerate(facts):
        state = BackendState(
            index, fact.service, fact.max_in_flight, fact.price_per_hour, fact.tokens_per_second
        )
        states.append(state)
        on_device[fact.device].append(state)
    for together in on_device.values():
        for state in together:
            state.neighbours = tuple(other for other in together if other is not state)
    return states
