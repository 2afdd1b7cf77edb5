"""What the schema cannot say about faults."""

from __future__ import annotations

from collections.abc import Iterator

from simcore.errors import one_of
from simcore.scenario.cluster import RetrieverBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.finding import Finding, KeyPath, shown


def check_faults(document: ScenarioDocument) -> Iterator[Finding]:
    """Faults of backends that are not there, cannot fail, or fail when all is over."""
    groups, faults = document.backends, document.faults
    mortal = [name for name, group in groups.items() if not isinstance(group, RetrieverBackends)]
    for key, listed in (("events", faults.events), ("random", faults.random)):
        for place, fault in enumerate(listed):
            if fault.backend not in mortal:
                names = one_of(mortal, fault.backend) if mortal else "none: there are only retrievers"
                yield Finding(("faults", key, place, "backend"), shown(fault.backend), names)
    for place, event in enumerate(faults.events):
        path: KeyPath = ("faults", "events", place)
        group = groups.get(event.backend)
        if group is not None and event.index >= group.count:
            allowed = f"less than the count of {event.backend}, {group.count}"
            yield Finding((*path, "index"), shown(event.index), allowed)
    times = {
        "events": [event.at_s for event in faults.events],
        "control_plane": [restart.at_s for restart in faults.control_plane],
    }
    for key, begun in times.items():
        for place, at in enumerate(begun):
            if at >= document.duration_s:
                allowed = f"less than duration_s = {shown(document.duration_s)}"
                yield Finding(("faults", key, place, "at_s"), shown(at), allowed)
