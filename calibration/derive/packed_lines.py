"""packed_lines: the lines of a file, gzipped or not, and the JSON objects of one that has one a line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def text_lines(path: Path) -> list[str]:
    """The lines of the file, which is gzipped if its name ends in ``.gz``."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8").splitlines()


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON object of each line."""
    return map(json.loads, text_lines(path))
