"""Finding, reading and checking profiles."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from simcore.errors import BadInput, Fault, one_of
from simcore.profile.document import SCHEMA_VERSION, ProfileDocument, digest_of
from simcore.profile.ensemble import check_members

_MAX_BYTES = 16 * 2**20
_MOST_FAULTS = 20


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
    return parse_profile(_read(name_or_path, base), name_or_path)


def _read(name_or_path: str, base: Path) -> str:
    try:
        path = base / name_or_path
        if not path.exists():
            allowed = one_of(shipped_profiles(), name_or_path) + ", or the path of a profile"
            raise BadInput([Fault(name_or_path, 0, "", "no such profile", allowed)])
        if not path.is_file():
            raise BadInput([Fault(name_or_path, 0, "", "no regular file", "the path of a profile")])
        if path.stat().st_size > _MAX_BYTES:
            raise BadInput([Fault(name_or_path, 0, "", "a file over 16 MiB", "a profile")])
        return path.read_text(encoding="utf-8")
    except BadInput:
        raise
    except UnicodeDecodeError:
        raise BadInput([Fault(name_or_path, 0, "", "text that is not UTF-8", "a profile")]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput([Fault(name_or_path, 0, "", f"unreadable: {reason}", "a profile")]) from None


def parse_profile(text: str, file: str) -> ProfileDocument:
    """The profile in ``text``; ``file`` is what error messages call it."""
    body = _parse_json(text, file)
    _check_version(body.get("schema_version"), file)
    try:
        profile = ProfileDocument.model_validate_json(text)
    except ValidationError as error:
        raise BadInput(
            Fault(file, 0, ".".join(map(str, e["loc"])), repr(e.get("input"))[:60], e["msg"])
            for e in error.errors()[:_MOST_FAULTS]
        ) from None
    if profile.digest != (sealed := digest_of(body)):
        found = f"{profile.digest[:20] or 'none'}…: it was changed after it was written"
        allowed = f"the digest of its contents, {sealed[:20]}…"
        raise BadInput([Fault(file, 0, "digest", found, allowed)])
    check_members(profile, file)
    return profile


def _check_version(version: object, file: str) -> None:
    if version == SCHEMA_VERSION and type(version) is int:
        return
    allowed = str(SCHEMA_VERSION)
    if type(version) is int:
        newer = version > SCHEMA_VERSION
        allowed += ": simsage has to be newer to read it" if newer else ": calibrate again"
    raise BadInput([Fault(file, 0, "schema_version", repr(version)[:60], allowed)])


def _parse_json(text: str, file: str) -> dict[str, object]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        raise BadInput([Fault(file, line, "", f"no valid JSON ({str(error)[:80]})", "a profile")]) from None
    if not isinstance(body, dict):
        raise BadInput([Fault(file, 1, "", type(body).__name__, "a JSON object")])
    return body
