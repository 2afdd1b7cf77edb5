"""Metadata: what policies need to know of a request beside what the API has fields for, from its headers.

``X-Simsage-Stream``, ``-Tenant``: names. ``-Kind``: ``chat`` or ``generate``, where the route would say the
other. ``-Priority``: SAGE's name or number; without it the body's ``priority`` counts. ``-Deadline-Ms``: from
arrival. ``-Prefix-Group``: requests of one number share a prefix. ``-Cost-Budget``: dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from simcore.request import Kind, Priority
from validate.gateway.errors import BadRequest

PREFIX = "X-Simsage-"
REQUEST_ID = "X-Request-Id"
"""A client's name for its request, which the backend is told, too."""
DISPATCHED = "X-Simsage-Dispatched"
"""Tells who names a request when it went to its backend: seconds of this machine's monotonic clock."""
LONGEST_NAME = 100
LONGEST_NUMBER = 18
KINDS = {"chat": Kind.LLM_CHAT, "generate": Kind.LLM_GENERATE, "embedding": Kind.EMBEDDING}


@dataclass(frozen=True, slots=True)
class Metadata:
    """The headers' values; ``deadline`` in seconds."""

    stream: str
    tenant: str
    kind: Kind
    priority: Priority
    deadline: float | None
    prefix_group: int
    cost_budget: float | None


def read_metadata(headers: Mapping[str, str], body: Mapping[str, Any], kind: Kind) -> Metadata:
    """Raises BadRequest; ``kind`` is the route's."""
    deadline = _positive(headers, "Deadline-Ms")
    return Metadata(
        stream=_name(headers, "Stream", kind.name.lower()),
        tenant=_name(headers, "Tenant", "default"),
        kind=_kind(headers, kind),
        priority=_priority(headers, body),
        deadline=None if deadline is None else deadline / 1e3,
        prefix_group=_group(headers),
        cost_budget=_positive(headers, "Cost-Budget"),
    )


def _name(headers: Mapping[str, str], what: str, otherwise: str) -> str:
    name = headers.get(PREFIX + what, otherwise)
    if not 0 < len(name) <= LONGEST_NAME:
        raise BadRequest(f"{PREFIX}{what} has to have 1 to {LONGEST_NAME} characters")
    return name


def _kind(headers: Mapping[str, str], route: Kind) -> Kind:
    said = headers.get(f"{PREFIX}Kind")
    kind = route if said is None else KINDS.get(said.lower())
    if kind is None or kind.service is not route.service:
        raise BadRequest(f"{PREFIX}Kind is {said!r}, which this route does not answer")
    return kind


def _priority(headers: Mapping[str, str], body: Mapping[str, Any]) -> Priority:
    said = headers.get(f"{PREFIX}Priority")
    if said is not None:
        return _priority_said(said)
    number = body.get("priority")
    if number is None:
        return Priority.NORMAL
    if type(number) is not int:
        raise BadRequest("'priority' has to be an integer")
    # vLLM takes any integer; the control plane has five levels.
    return Priority(min(max(number, Priority.CRITICAL), Priority.BACKGROUND))


def _priority_said(said: str) -> Priority:
    for priority in Priority:
        if said.upper() == priority.name or said == str(priority.value):
            return priority
    raise BadRequest(
        f"{PREFIX}Priority is {said!r}; allowed: {', '.join(p.name for p in Priority)}, or 0 to 4"
    )


def _positive(headers: Mapping[str, str], what: str) -> float | None:
    said = headers.get(PREFIX + what)
    if said is None:
        return None
    try:
        value = float(said)
    except ValueError:
        value = 0.0
    if not (isfinite(value) and value > 0):
        raise BadRequest(f"{PREFIX}{what} is {said!r}; it has to be a positive number")
    return value


def _group(headers: Mapping[str, str]) -> int:
    said = headers.get(f"{PREFIX}Prefix-Group", "-1")
    # Routing hashes eight bytes of it.
    if said != "-1" and not (said.isascii() and said.isdigit() and len(said) <= LONGEST_NUMBER):
        raise BadRequest(f"{PREFIX}Prefix-Group is {said[:LONGEST_NAME]!r}; it has to be a whole number")
    return int(said)
