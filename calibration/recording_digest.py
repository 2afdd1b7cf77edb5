"""recording_digest: what a recording of live replays is known by, wherever it lies."""

from __future__ import annotations

import hashlib
from pathlib import Path


def recording_digest(folder: Path) -> str:
    """Twelve hexadecimal digits of which replays there are, and of their requests as they were recorded."""
    found = hashlib.sha256()
    for file in sorted([folder / "replays.jsonl", *folder.glob("requests-*.jsonl.gz")]):
        found.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:12]
