"""with_drawn_faults: a scenario whose random faults have become faults at times."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import TypeAdapter

from simcore.scenario.document import ScenarioDocument
from simcore.scenario.faults import BackendFault, RandomFault
from simcore.workload.randomness import Streams

EVENT: TypeAdapter[BackendFault] = TypeAdapter(BackendFault)


def with_drawn_faults(scenario: ScenarioDocument, streams: Streams) -> ScenarioDocument:
    """The resolved scenario with the faults of this replication; each backend has draws of its own."""
    faults = scenario.faults
    if not faults.random:
        return scenario
    drawn = [event for fault in faults.random for event in _drawn(scenario, fault, streams)]
    together = faults.model_copy(update={"events": [*faults.events, *drawn], "random": []})
    return scenario.model_copy(update={"faults": together})


def _drawn(scenario: ScenarioDocument, fault: RandomFault, streams: Streams) -> Iterator[BackendFault]:
    for i in range(scenario.backends[fault.backend].count):
        rng = streams.generator(f"{fault.backend}-{i}", f"fault {fault.kind}")
        at = rng.exponential(fault.mtbf_s)
        while at < scenario.duration_s:
            lasts = rng.exponential(fault.mttr_s)
            where = {"backend": fault.backend, "index": i}
            yield EVENT.validate_python({"kind": fault.kind, "at_s": at, "for_s": lasts} | where)
            at += lasts + rng.exponential(fault.mtbf_s)
