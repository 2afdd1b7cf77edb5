"""StepLog: the steps that a server writes down while it works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast


class StepLog:
    """Reads a file of `seen_scheduler` or of `embedding_service` bit by bit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    def new(self) -> list[dict[str, Any]]:
        """The steps written since the last call; none while there is no file yet.

        A line that is not yet whole is left for the next call.
        """
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        self._read += len(whole) + bool(whole)
        return [cast(dict[str, Any], json.loads(line)) for line in whole.splitlines()]
