"""Finding, reading and checking profiles."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from simcore.errors import BadInput, Fault, one_of
from simcore.profile.document import SCHEMA_VERSION, ProfileDocument

_MAX_BYTES = 16 * 2**20


def shipped_profiles() -> list[str]:
    """The names of the profiles that travel with simsage, sorted."""
    folder = resources.files("simcore.profile.shipped")
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".json"))


def load_profile(name_or_path: str, base: Path) -> ProfileDocument:
    """The profile shipped under that name, or in the file of that path relative to ``base``.

    Raises BadInput if there is none, or it is unreadable, of a newer schema, or not what was written.
    """
    if name_or_path in shipped_profiles():
        entry = resources.files("simcore.profile.shipped") / f"{name_or_path}.json"
        return parse_profile(entry.read_text(encoding="utf-8"), name_or_path)
    path = base / name_or_path
    if not path.is_file():
        allowed = one_of(shipped_profiles(), name_or_path) + ", or the path of a profile"
        raise BadInput([Fault(name_or_path, 0, "", "no such profile", allowed)])
    if path.stat().st_size > _MAX_BYTES:
        raise BadInput([Fault(str(path), 0, "", "a file over 16 MiB", "a profile")])
    return parse_profile(path.read_text(encoding="utf-8", errors="replace"), str(path))


def parse_profile(text: str, file: str) -> ProfileDocument:
    """The profile in ``text``; ``file`` is what error messages call it."""
    body = _parse_json(text, file)
    version = body.get("schema_version")
    if version != SCHEMA_VERSION:
        raise BadInput([Fault(file, 0, "schema_version", repr(version), str(SCHEMA_VERSION))])
    try:
        profile = ProfileDocument.model_validate_json(text)
    except ValidationError as error:
        raise BadInput(
            Fault(file, 0, ".".join(map(str, e["loc"])), repr(e.get("input"))[:60], e["msg"])
            for e in error.errors()
        ) from None
    if profile.digest != profile.computed_digest():
        found = f"{profile.digest[:20] or 'none'}…: it was changed after it was written"
        allowed = f"the digest of its contents, {profile.computed_digest()[:20]}…"
        raise BadInput([Fault(file, 0, "digest", found, allowed)])
    return profile


def _parse_json(text: str, file: str) -> dict[str, object]:
    try:
        body = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        raise BadInput([Fault(file, line, "", f"no valid JSON ({error})", "a profile")]) from None
    if not isinstance(body, dict):
        raise BadInput([Fault(file, 1, "", type(body).__name__, "a JSON object")])
    return body
