"""events: what a streamed completion says, read line by line and trusted in nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass

from calibration.errors import BackendFailed

MOST_TOKENS = 10_000_000
"""No prompt or answer has more: a greater count is a fault."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream: whether it carries output, and the token counts if it tells them."""

    output: bool
    usage: tuple[int, int] | None
    """Prompt and completion tokens."""


def read_event(line: bytes) -> Event | None:
    """The event of a line of a server-sent-event stream; None for lines that carry none.

    Raises `BackendFailed` for anything that the protocol does not allow.
    """
    if not line.startswith(b"data:"):
        return None
    data = line[5:].strip()
    if data == b"[DONE]":
        return None
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise BackendFailed(f"an event is not JSON: {excerpt(data)}") from None
    if not isinstance(said, dict) or not isinstance(said.get("choices"), list):
        raise BackendFailed(f"an event is not a completion: {excerpt(data)}")
    return Event(bool(said["choices"]), _usage(said.get("usage"), data))


def excerpt(data: bytes) -> str:
    """The beginning of what a backend sent, fit to be shown."""
    text = data[:300].decode(errors="replace")
    return "".join(c if c.isprintable() else " " for c in text).strip() or "(nothing)"


def _usage(said: object, data: bytes) -> tuple[int, int] | None:
    if said is None:
        return None
    counts = (
        [said.get(key) for key in ("prompt_tokens", "completion_tokens")] if isinstance(said, dict) else []
    )
    whole = [n for n in counts if isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= MOST_TOKENS]
    if len(whole) != 2:
        raise BackendFailed(f"the usage is not two token counts: {excerpt(data)}")
    return whole[0], whole[1]
