"""Setting values of a raw document by dotted key paths, as variants, sweeps and overrides do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from simcore.errors import one_of
from simcore.scenario.finding import Finding, KeyPath, shown

SETTABLE = (
    "backends",
    "control_plane",
    "devices",
    "drain_s",
    "duration_s",
    "faults",
    "max_requests",
    "streams",
    "warmup_s",
)
"""What variants and sweeps may change. The rest is the scenario's own, the random numbers included."""


def set_paths(
    raw: dict[str, Any], values: Mapping[str, Any], settable: Iterable[str] | None = None
) -> list[Finding]:
    """Set each dotted path of ``values`` in ``raw``; what could not be set is a finding.

    A name below ``streams``, ``backends``, ``devices`` or ``stages`` has to exist, and null removes it.
    Other keys may be absent, the schema knows them. Setting ``control_plane.policy`` takes away
    ``ordering`` and ``routing``, which it stands for, unless they are among ``values``.
    """
    findings = []
    for dotted_path, value in values.items():
        path = tuple(dotted_path.split("."))
        if settable is not None and path[0] not in settable:
            findings.append(Finding(path, "a key that cannot be set here", one_of(settable, path[0])))
        elif finding := _put(raw, path, deepcopy(value)):
            findings.append(finding)
    if "control_plane.policy" in values and isinstance(raw.get("control_plane"), dict):
        for key in ("ordering", "routing"):
            if f"control_plane.{key}" not in values:
                raw["control_plane"].pop(key, None)
    return findings


def _put(raw: dict[str, Any], path: tuple[str, ...], value: object) -> Finding | None:
    node = raw
    for depth, key in enumerate(path[:-1]):
        if _holds_names(path[:depth]) and key not in node:
            return Finding(path, f"no {key!r} there", one_of(node, key))
        below = node.setdefault(key, {})
        if below is None:
            below = node[key] = {}
        if not isinstance(below, dict):
            return Finding(path, f"{shown(below)} at {'.'.join(path[: depth + 1])}", "a key that has keys")
        node = below
    leaf = path[-1]
    if _holds_names(path[:-1]):
        if leaf not in node:
            return Finding(path, f"no {leaf!r} there", one_of(node, leaf))
        if value is None:
            del node[leaf]
            return None
    node[leaf] = value
    return None


def _holds_names(path: KeyPath) -> bool:
    """Whether the keys at ``path`` are names that the scenario's author chose."""
    if len(path) == 1:
        return path[0] in ("streams", "backends", "devices")
    return len(path) == 3 and path[0] == "streams" and path[2] == "stages"
