"""What the schema cannot say about backends, devices and the control plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simcore.errors import one_of
from simcore.scenario.base import MOST_PERIODS
from simcore.scenario.cluster import RetrieverBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.finding import Finding, KeyPath, shown
from simcore.scenario.stages import asked_parts
from simcore.scenario.workload import Uniform

ProfileCheck = Callable[[str], str | None]
"""Told the name or path of a profile, says what is wrong with it, or None."""

BACKEND_OF = {"chat": "llm", "generate": "llm", "embedding": "embedding", "retrieval": "retriever"}
ADMISSION_NEEDS: dict[str, tuple[str, ...]] = {
    "none": (),
    "token_bucket": ("rate", "burst"),
    "saturation": ("threshold",),
}
MOST_BACKENDS = 100_000
"""In one cluster; each takes memory from the start."""


def check_cluster(document: ScenarioDocument) -> Iterator[Finding]:
    """Faults between streams, backends, devices and the control plane."""
    yield from _check_services(document)
    yield from _check_devices(document)
    for name, group in document.backends.items():
        if isinstance(group, RetrieverBackends):
            yield from _check_retriever(("backends", name), group)
    backends = sum(group.count for group in document.backends.values())
    if backends > MOST_BACKENDS:
        yield Finding(("backends",), f"{backends:,} backends", f"at most {MOST_BACKENDS:,}")
    period, lasts = document.control_plane.dispatch_period_ms, document.duration_s + document.drain_s
    if 1e3 * lasts > MOST_PERIODS * period > 0:
        allowed = f"0, or at most {MOST_PERIODS:,} of them in the {shown(lasts)} s of a run"
        yield Finding(("control_plane", "dispatch_period_ms"), shown(period), allowed)
    admission = document.control_plane.admission
    for key in ADMISSION_NEEDS[admission.policy]:
        if getattr(admission, key) is None:
            yield Finding(
                ("control_plane", "admission", key),
                "nothing",
                f"a number: admission {admission.policy} needs {key}",
            )


def check_profiles(raw: Mapping[str, Any], check: ProfileCheck | None) -> Iterator[Finding]:
    """Faults of the profiles that a raw document names, whether or not it fits the schema."""
    if check is None:
        return
    groups = raw.get("backends")
    places: list[tuple[KeyPath, object]] = [(("control_plane", "costs_profile"), raw.get("control_plane"))]
    if isinstance(groups, dict):
        places += [(("backends", name, "profile"), group) for name, group in groups.items()]
    for path, part in places:
        profile = part.get(path[-1]) if isinstance(part, dict) else None
        if isinstance(profile, str) and profile and (fault := check(profile)):
            allowed = "a profile that ships with simsage or the path of a profile file"
            yield Finding(path, f"{shown(profile)}: {fault}", allowed)


def _check_retriever(path: KeyPath, group: RetrieverBackends) -> Iterator[Finding]:
    given, profile = group.service_time_ms, group.profile
    if (given is None) == (profile is None):
        found = "neither service_time_ms nor profile" if given is None else "both service_time_ms and profile"
        yield Finding(path, found, "exactly one of them")
    elif profile is not None and group.k is None:
        allowed = "a whole number at least 1: a profile's times need the number of results"
        yield Finding((*path, "k"), "nothing", allowed)
    elif given is not None and group.k is not None:
        yield Finding((*path, "k"), shown(group.k), "nothing: times that are given do not depend on it")
    if isinstance(given, Uniform) and given.high < given.low:
        low, high = shown(given.low), shown(given.high)
        yield Finding((*path, "service_time_ms", "high"), high, f"at least low = {low}")


def _check_services(document: ScenarioDocument) -> Iterator[Finding]:
    kinds = {group.kind for group in document.backends.values()}
    for path, part in asked_parts(document):
        kind = part.kind
        if kind != "pipeline" and BACKEND_OF[kind] not in kinds:
            needed = f"a kind that a backend answers: no backend has kind {BACKEND_OF[kind]}"
            yield Finding((*path, "kind"), shown(kind), needed)


def _check_devices(document: ScenarioDocument) -> Iterator[Finding]:
    taken: dict[tuple[str, str], str] = {}
    for name, group in document.backends.items():
        device = None if isinstance(group, RetrieverBackends) else group.device
        if device is None:
            continue
        path = ("backends", name, "device")
        if device not in document.devices:
            names = one_of(document.devices, device) if document.devices else "none: there are no devices"
            yield Finding(path, shown(device), names)
        elif document.devices[device].mode == "coordinated" and document.control_plane.kind == "separate":
            found = "coordinated under separate control planes"
            yield Finding(("devices", device, "mode"), found, "uncoordinated: neither plane sees the other")
        first = taken.setdefault((device, group.kind), name)
        if first != name:
            allowed = f"one {group.kind} group a device: {first!r} is on it"
            yield Finding(path, shown(device), allowed)
