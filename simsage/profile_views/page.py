"""page: a profile as text for reading."""

from __future__ import annotations

from typing import Any

from simcore.profile.document import ProfileDocument

LONGEST = 8
"""Lists with more entries (residuals, points) are counted, not printed."""


def page(profile: ProfileDocument) -> str:
    """Every part and field, indented by depth; seconds and other units as in the document."""
    body = profile.model_dump(mode="json")
    bounds = {part: (body[part] or {}).pop("intervals", {}) for part in ("llm", "embedding")}
    for part, key in (("llm", "step_time"), ("embedding", "embed_time")):
        for path, (low, high) in bounds[part].items():
            *parent, name = path.split(".")
            times = body[part][parent[0] if parent else key]
            times[name] = f"{times.get(name, 0.0):.5g} s [{low:.5g}, {high:.5g}]"
    return "\n".join(_lines(body, 0)) + "\n"


def _lines(body: dict[str, Any], depth: int) -> list[str]:
    lines = []
    for key, value in body.items():
        if value is None or value in ({}, [], ""):
            continue
        start = "  " * depth + f"{key}:"
        if isinstance(value, dict):
            inner = _lines(value, depth + 1)
            lines += [start, *inner] if inner else []
        elif key == "notes":
            lines += [start, *("  " * depth + f"  - {note}" for note in value)]
        else:
            lines.append(f"{start} {_shown(value)}")
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, list) and len(value) > LONGEST:
        return f"{len(value)} entries"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return f"{value:.5g}" if isinstance(value, float) else str(value)
