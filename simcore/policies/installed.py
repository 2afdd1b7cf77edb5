"""Policies that other packages bring: entry points of the groups simsage.{ordering,routing,admission}."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from simcore.errors import BadInput, Fault

KINDS = ("ordering", "routing", "admission")


@cache
def installed(kind: str) -> dict[str, EntryPoint]:
    """The policies of a kind that installed packages declare, by name. Nothing is imported.

    A scenario can so name no code but what somebody installed as a policy.
    """
    return {point.name: point for point in entry_points(group=f"simsage.{kind}")}


def load_installed(kind: str, name: str, base: type) -> type:
    """The class of an installed policy; BadInput unless it is a ``base``. Importing it may raise anything."""
    point = installed(kind)[name]
    found = point.load()
    if not (isinstance(found, type) and issubclass(found, base)):
        allowed = f"a subclass of {base.__module__}.{base.__name__}"
        raise BadInput([Fault(f"entry point simsage.{kind}", 0, name, point.value, allowed)])
    return found


def installed_sources() -> list[tuple[str, bytes]]:
    """Name and source of each installed policy's module: what results may depend on beside ours."""
    points = [point for kind in KINDS for _, point in sorted(installed(kind).items())]
    return [(f"{point.group}:{point.name}={point.value}", _source(point.module)) for point in points]


def _source(module: str) -> bytes:
    spec = find_spec(module)
    return Path(spec.origin).read_bytes() if spec and spec.origin else b""
