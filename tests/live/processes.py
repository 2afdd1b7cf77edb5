"""Which processes a test has left behind."""

from __future__ import annotations

import os
from pathlib import Path


def processes(folder: Path, what: str = "") -> list[int]:
    """Those whose command line speaks of the folder, and of ``what``, other than this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_text().replace("\0", " ")
        except OSError:
            continue
        if str(folder) in command and what in command and int(path.parent.name) != os.getpid():
            found.append(int(path.parent.name))
    return found
