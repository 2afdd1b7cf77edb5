"""What the schema cannot say about faults."""

from __future__ import annotations

from collections.abc import Iterator

from simcore.errors import one_of
from simcore.scenario.base import MOST_PERIODS
from simcore.scenario.cluster import RetrieverBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.finding import Finding, KeyPath, shown

MOST_FAULTS = 1_000_000
"""Random faults that a replication may have."""


def check_faults(document: ScenarioDocument) -> Iterator[Finding]:
    """Faults of backends that are not there, cannot fail, fail when all is over, or without end."""
    groups, faults = document.backends, document.faults
    mortal = [name for name, group in groups.items() if not isinstance(group, RetrieverBackends)]
    for key, listed in (("events", faults.events), ("random", faults.random)):
        for place, fault in enumerate(listed):
            if fault.backend not in mortal:
                names = one_of(mortal, fault.backend) if mortal else "none: there are only retrievers"
                yield Finding(("faults", key, place, "backend"), shown(fault.backend), names)
    yield from _check_numbers(document)
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


def _check_numbers(document: ScenarioDocument) -> Iterator[Finding]:
    """What happens again and again must not do so more often than anyone could wait for."""
    faults, duration = document.faults, document.duration_s
    for place, fault in enumerate(faults.random):
        group = document.backends.get(fault.backend)
        expected = duration / (fault.mtbf_s + fault.mttr_s) * (group.count if group else 1)
        if expected > MOST_FAULTS:
            yield Finding(
                ("faults", "random", place), f"about {expected:.3g} faults", f"at most {MOST_FAULTS:,}"
            )
    checks = (duration + document.drain_s) / faults.recovery.health_period_s
    if faults.any and checks > MOST_PERIODS:
        path = ("faults", "recovery", "health_period_s")
        yield Finding(path, f"{checks:.3g} checks of each backend", f"at most {MOST_PERIODS:,}")
