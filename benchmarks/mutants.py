"""What became of the mutants of `make mutation`: one table by package, and the names of those that live.

A mutant is a copy of the code with one change. One that a test notices, by failing or by never ending, is
killed; ``mutmut show NAME`` prints one that lives.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

FOLDER = Path("mutants")
KILLED = {"killed", "timeout", "segfault"}
JUDGED = {0: "survived", 1: "killed", 3: "killed", 33: "no tests", 36: "timeout", 255: "timeout"}
JUDGED |= dict.fromkeys((24, -24, 152), "timeout")
"""By mutmut's exit codes; others are what a crash of the interpreter gives, and None was not tried."""


def fate(code: int | None) -> str:
    """What an exit code says."""
    return "not tried" if code is None else JUDGED.get(code, "segfault")


def main() -> None:
    """Print the table."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    alive = []
    for meta in sorted(FOLDER.rglob("*.py.meta")):
        package = "/".join(meta.relative_to(FOLDER).parts[:2])
        codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        for name, code in codes.items():
            found[package][fate(code)] += 1
            if fate(code) in ("survived", "no tests"):
                alive.append(f"{name}: {fate(code)}")
    print("\n".join(alive))
    print("package            mutants  killed  of them by time  survived  no tests    share")
    for package, fates in [*found.items(), ("all", sum(found.values(), Counter()))]:
        killed = sum(fates[one] for one in KILLED)
        tried = killed + fates["survived"] + fates["no tests"]
        counts = f"{fates['timeout']:15}  {fates['survived']:8}  {fates['no tests']:8}"
        print(f"{package:17}  {tried:7}  {killed:6}  {counts}  {killed / max(1, tried):7.1%}")


if __name__ == "__main__":
    main()
