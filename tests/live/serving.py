"""`simsage serve` as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live.processes import processes


@contextmanager
def serving(folder: Path, scenario: str, *options: str) -> Iterator[str]:
    """The URL at which it serves; afterwards it has ended in order and left no process."""
    (folder / "served.yaml").write_text(scenario)
    command = ["serve", str(folder / "served.yaml"), "--port", "0", *options]
    with subprocess.Popen(
        [sys.executable, "-m", "simsage", *command],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as process:
        try:
            yield _url(process)
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert re.search(r"Ended. Requests: .*\d+ completed", errors), errors
    assert not processes(folder)


def _url(process: subprocess.Popen[str]) -> str:
    said = []
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        if found := re.search(r"serving \S+ at (\S+)/v1;", line):
            return found[1]
    raise AssertionError("".join(said))
