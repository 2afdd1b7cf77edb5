"""What became of the mutants of `make mutation`: one table by package, and the names of those that live.

A mutant is a copy of the code with one change. One that a test notices, by failing or by never ending, is
killed; ``mutmut show NAME`` prints one that lives. Exit code 1 if fewer are killed than shall be.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from mutmut.stats import status_by_exit_code

FOLDER = Path("mutants")
KILLED = ("killed", "timeout", "segfault")
ALIVE = ("survived", "no tests", "suspicious")
"""By mutmut's own names of what the exit codes mean; what it did not try is neither."""
LEAST_SHARE = 0.85


def main() -> int:
    """Print the table."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    alive = []
    for meta in sorted(FOLDER.rglob("*.py.meta")):
        package = "/".join(meta.relative_to(FOLDER).parts[:2])
        codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        for name, code in codes.items():
            fate = status_by_exit_code[code]
            found[package][fate] += 1
            if fate in ALIVE:
                alive.append(f"{name}: {fate}")
    print("\n".join(alive))
    print("package            mutants  killed  of them by time  alive  not tried    share")
    for package, fates in found.items():
        killed, lives, untried = _counts(fates)
        counts = f"{fates['timeout']:15}  {lives:5}  {untried:9}"
        print(
            f"{package:17}  {fates.total():7}  {killed:6}  {counts}  {killed / max(1, killed + lives):7.1%}"
        )
    together = sum(found.values(), Counter[str]())
    killed, lives, untried = _counts(together)
    print(
        f"{together.total():,} mutants: {killed:,} killed, {together['timeout']} of them by time,"
        f" {lives} alive, {untried} not tried: {killed / max(1, killed + lives):.1%}"
    )
    return int(killed < LEAST_SHARE * together.total())


def _counts(fates: Counter[str]) -> tuple[int, int, int]:
    """Those killed, those alive and those not tried."""
    killed, lives = (sum(fates[one] for one in group) for group in (KILLED, ALIVE))
    return killed, lives, fates.total() - killed - lives


if __name__ == "__main__":
    sys.exit(main())
