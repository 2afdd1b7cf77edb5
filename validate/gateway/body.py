"""The JSON of a client's body: bounds before it is parsed, what is read of it, and the rest as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json, to_json

from simcore.request import Request
from validate.gateway.errors import BadRequest
from validate.live.backend import LiveBackend

SMALL = 1 << 16
"""Bytes of a body that cannot cost much, whatever is in it."""
MOST_PARTS, MOST_VALUES = 1 << 16, 1 << 20
"""Objects, lists and strings, and values in lists and objects, of one body: an empty object takes 64 bytes
of memory, so that 16 MB of them would take 400 MB and seconds. The longest contexts are a million tokens."""
OURS = ("model", "priority")
"""Fields that each backend is told in its own way."""


def parsed_body(content: bytes) -> dict[str, Any]:
    """The object that was posted. Raises BadRequest, also for NaN, and for more than 200 levels."""
    if len(content) > SMALL:
        _check_parts(content)
    try:
        body = from_json(content, allow_inf_nan=False)
    except ValueError:
        raise BadRequest("the body has to be JSON, of 200 levels at most") from None
    if not isinstance(body, dict):
        raise BadRequest("the body has to be a JSON object")
    if not isinstance(body.get("stream", False), bool | None):
        raise BadRequest("'stream' has to be true or false")
    return body


def rest_of(body: Mapping[str, Any]) -> bytes:
    """The body as JSON, without `OURS`. Raises BadRequest for a number like 1e999, read as infinite."""
    rest = to_json({key: value for key, value in body.items() if key not in OURS}, inf_nan_mode="constants")
    if b"Infinity" in rest and not _finite(body):
        raise BadRequest("a number in the body is too large")
    return rest


def payload_for(backend: LiveBackend, request: Request, rest: bytes) -> bytes:
    """What a backend is sent: the rest, its own name of the model, and the priority where it is understood.

    vLLM refuses a priority unless it schedules by it.
    """
    ours: dict[str, Any] = {"model": backend.model}
    if backend.by_priority:
        ours["priority"] = int(request.priority)
    # A body always has a field beside these: what is asked.
    return to_json(ours)[:-1] + b"," + rest[1:]


def _check_parts(content: bytes) -> None:
    """Raise BadRequest for more of them than `MOST_PARTS` or `MOST_VALUES`, counted outside of strings."""
    plain = content.replace(b"\\\\", b"").replace(b'\\"', b"")
    strings = plain.count(b'"') // 2
    if strings <= MOST_PARTS:
        outside = b"".join(plain.split(b'"')[::2])
        parts = strings + outside.count(b"{") + outside.count(b"[")
        if parts <= MOST_PARTS and outside.count(b",") <= MOST_VALUES:
            return
    raise BadRequest(f"the body has over {MOST_PARTS} objects, lists and texts, or over {MOST_VALUES} values")


def _finite(body: Mapping[str, Any]) -> bool:
    """Whether no number is infinite; a text may well say so."""
    try:
        json.dumps(body, allow_nan=False)
    except ValueError:
        return False
    return True
