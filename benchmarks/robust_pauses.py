"""Tests on a machine that pauses: pytest and all that it starts are stopped at random moments and go on.

Exit code pytest's. What waits for a process or a server must not take a pause for its end.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.live.processes import descendants

BETWEEN = 0.7
"""Mean seconds from a pause to the next."""
SHORTEST, LONGEST = 0.3, 1.6
"""Seconds that a pause may last."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--between", type=float, default=BETWEEN, help="mean seconds between two pauses")
    parser.add_argument("tests", nargs="+")
    given = parser.parse_args()
    rng, pauses = Random(given.seed), 0
    tests = subprocess.Popen([sys.executable, "-m", "pytest", *given.tests])
    while tests.poll() is None:
        time.sleep(rng.expovariate(1 / given.between))
        _pause(tests.pid, rng.uniform(SHORTEST, LONGEST))
        pauses += 1
    print(f"{pauses} pauses of {SHORTEST} to {LONGEST} s; pytest's exit code {tests.returncode}")
    return tests.returncode


def _pause(root: int, seconds: float) -> None:
    stopped = [process for process in (root, *descendants(root)) if _runs(process)]
    _send(signal.SIGSTOP, stopped)
    time.sleep(seconds)
    _send(signal.SIGCONT, stopped)


def _send(number: signal.Signals, processes: list[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def _runs(process: int) -> bool:
    """Whether it is there and no test has stopped it."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "T"


if __name__ == "__main__":
    sys.exit(main())
