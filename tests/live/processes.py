"""Which processes a test has started, or left behind."""

from __future__ import annotations

import os
from contextlib import suppress
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


def descendants(root: int) -> list[int]:
    """Those that came from a process, parents first; one that ends meanwhile may be missing."""
    found = [root]
    for process in found:
        with suppress(OSError):
            for children in Path(f"/proc/{process}/task").glob("*/children"):
                found += map(int, children.read_text().split())
    return found[1:]
