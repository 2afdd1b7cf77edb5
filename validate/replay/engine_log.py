"""engine_log: the steps that a server logged, on the clock and with the ids of the replay that it served."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from validate.pace import Steps

_NAMED = re.compile(r"simsage-[0-9a-f]{8}-([0-9]{1,18})(?![0-9])")


def new_prefix() -> str:
    """What the names of one replay's requests start with: an engine must not know two by one name."""
    return f"simsage-{uuid4().hex[:8]}"


def name_of(prefix: str, request: int) -> str:
    """The name of a request in its servers."""
    return f"{prefix}-{request}"


def id_of(name: str) -> int | None:
    """The request's id, of the longer name that vLLM makes of `name_of`; None for anybody else's."""
    found = _NAMED.search(name)
    return None if found is None else int(found[1])


def in_replay(logged: Steps, began: float) -> Steps:
    """The steps in seconds since the replay ``began``, a time of the machine's monotonic clock."""
    return [_moved(line, began) for line in logged]


def _moved(line: dict[str, Any], began: float) -> dict[str, Any]:
    moved = {**line, "scheduled": line["scheduled"] - began, "updated": line["updated"] - began}
    if "admitted" in line:
        named = [(id_of(name), received, had) for name, received, had in line["admitted"]]
        moved["admitted"] = [(one, at - began, had - began) for one, at, had in named if one is not None]
        for key in ("first", "finished"):
            moved[key] = [one for name in line[key] if (one := id_of(name)) is not None]
    return moved
