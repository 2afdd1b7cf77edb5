"""Store: measured blocks in a JSON-lines file, kept as they come, so that a stopped calibration resumes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from calibration.whole_file import write_whole
from simcore.regular_file import read_bytes

Record = dict[str, Any]


MOST_STORED = 1 << 30
"""Bytes of a store that is read."""


class Store:
    """One line a block; the first line says what was being measured, and must agree to resume.

    A store of another machine, model or software is set aside under the suffix ``.old``, the next ones under
    ``.old2`` and so on, never mixed in.
    """

    def __init__(self, path: Path, identity: Record) -> None:
        self.path = path
        self._blocks: dict[str, Record] = {}
        lines = list(_whole_lines(path))
        if path.exists() and lines[:1] != [identity]:
            path.replace(_aside(path))
            lines = []
        for line in lines[1:]:
            self._blocks[line["block"]] = line
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written anew, so that a line cut short by a crash is gone.
        write_whole(path, "".join(json.dumps(line) + "\n" for line in lines or [identity]))

    def __contains__(self, block: str) -> bool:
        return block in self._blocks

    def __getitem__(self, block: str) -> Record:
        return self._blocks[block]

    def keep(self, block: str, **content: Any) -> None:
        """Add a finished block; it is on disk when this returns."""
        record = {"block": block, **content}
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        self._blocks[block] = record

    def blocks(self, prefix: str) -> list[Record]:
        """The blocks whose name starts with ``prefix``, oldest first."""
        return [record for name, record in self._blocks.items() if name.startswith(prefix)]


def _aside(path: Path) -> Path:
    names = (path.with_suffix(f"{path.suffix}.old{number}") for number in ("", *range(2, 1000)))
    return next(name for name in names if not name.exists())


def _whole_lines(path: Path) -> Iterator[Record]:
    """The first line, and what follows it as far as it is blocks."""
    if not path.exists():
        return
    for number, line in enumerate(read_bytes(path, MOST_STORED).decode("utf-8", "replace").splitlines()):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(record, dict) or (number and not isinstance(record.get("block"), str)):
            return
        yield record
