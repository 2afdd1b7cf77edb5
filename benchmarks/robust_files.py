"""100,000 damaged scenario and profile files, each used as ``simsage run`` would.

Exit code 1 if any of them made a traceback or took longer than the limit, those are printed in full, or if a
process took more memory than it may.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from os import cpu_count
from pathlib import Path

from tests.fuzz.judge import Judged, judge
from tests.fuzz.mutate import damaged

FILES = 100_000
SHARD = 250
MOST_ADDRESSES = 4 * 2**30
"""Bytes that a process may map: a file that asks for more is a defect, not a crash of the machine."""
MOST_KIB = 500 * 1000**2 / 1024
"""KiB that a process may have in memory."""


def shard(start: int, count: int) -> tuple[list[Judged], int]:
    """The defects and the slowest first, then the rest; and the peak memory of the process in KiB."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    with tempfile.TemporaryDirectory() as folder:
        judged = [judge(damaged(number), Path(folder)) for number in range(start, start + count)]
    return judged, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=cpu_count())
    given = parser.parse_args()
    starts = range(given.start, given.start + given.files, SHARD)
    counts = [min(SHARD, given.start + given.files - start) for start in starts]
    found, memory, slowest = Counter[str](), 0, Judged(-1, "", "", 0.0, "")
    with ProcessPoolExecutor(given.jobs) as pool:
        for judged, peak in pool.map(shard, starts, counts):
            memory = max(memory, peak)
            slowest = max([slowest, *judged], key=lambda one: one.seconds)
            found.update(one.outcome for one in judged)
            for one in judged:
                if one.outcome == "defect":
                    print(f"file {one.number} ({one.how}):\n{one.told}", file=sys.stderr)
    print(
        f"{given.files:,} files: {found['accepted']:,} accepted, {found['refused']:,} clear errors,"
        f" {found['defect']:,} tracebacks or hangs; the slowest {slowest.seconds:.2f} s"
        f" (file {slowest.number}, {slowest.how}), at most {memory / 1024:.0f} MiB"
    )
    return int(found["defect"] > 0 or memory > MOST_KIB)


if __name__ == "__main__":
    sys.exit(main())
