"""Place: one backend of a scenario, before anything says how it is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from simcore.scenario.cluster import EmbeddingBackends, LLMBackends, RetrieverBackends
from simcore.scenario.document import ScenarioDocument

BackendSpec = LLMBackends | EmbeddingBackends | RetrieverBackends


class Place(NamedTuple):
    """Backend number ``i`` of a group."""

    name: str
    i: int
    spec: BackendSpec

    @property
    def device(self) -> str:
        """The instance of a device that it is on; one of its own if its group names none."""
        shared = None if isinstance(self.spec, RetrieverBackends) else self.spec.device
        return device_name(shared, self.i, self.name)


def places(scenario: ScenarioDocument) -> Iterator[Place]:
    """All backends in the order in which the scenario names them, which is that of their indices."""
    for group, spec in scenario.backends.items():
        for i in range(spec.count):
            yield Place(f"{group}-{i}" if spec.count > 1 else group, i, spec)


def device_name(device: str | None, i: int, backend: str) -> str:
    """Instance i of ``device``, or the device of ``backend``'s own."""
    return backend if device is None else f"{device}-{i}"


def index_of(scenario: ScenarioDocument, group: str, i: int) -> int:
    """The index of backend number ``i`` of ``group`` among all."""
    names = list(scenario.backends)
    before = names[: names.index(group)]
    return sum(scenario.backends[name].count for name in before) + i
