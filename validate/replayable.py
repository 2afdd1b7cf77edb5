"""Whether real backends can do what a scenario describes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simcore.errors import BadInput, Fault
from simcore.scenario.cluster import RetrieverBackends
from simcore.scenario.document import ScenarioDocument


def check_replayable(documents: Iterable[ScenarioDocument]) -> None:
    """Raise BadInput for what a live replay of the resolved documents would have to leave out."""
    if faults := dict.fromkeys(fault for document in documents for fault in _faults(document)):
        raise BadInput(faults)


def _faults(document: ScenarioDocument) -> Iterator[Fault]:
    for name, device in document.devices.items():
        if device.mode == "coordinated":
            allowed = "uncoordinated: real backends do not take turns"
            yield Fault(document.name, 0, f"devices.{name}.mode", "coordinated", allowed)
    if document.faults.any:
        allowed = "neither events nor random: a replay does not make real backends fail"
        yield Fault(document.name, 0, "faults", "faults", allowed)
    retrievers = [name for name, spec in document.backends.items() if isinstance(spec, RetrieverBackends)]
    if len(retrievers) > 1:
        allowed = "one group of retrievers, with a count: the client does not route between several"
        yield Fault(document.name, 0, "backends", ", ".join(retrievers), allowed)
