"""Which processes a test has started, or left behind."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
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


def alive(process: int) -> bool:
    """Whether it runs; one that has ended and that nobody asked about does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for what is to come about soon; an AssertionError if it does not."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
