"""A sweep killed with SIGKILL at 50 random moments, each resumed to its end: one table.

Exit code 1 if any of them ends in other bytes than the undisturbed run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

from tests.crash.killing import Broken, kill_and_resume, undisturbed

MOMENTS = 50


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=MOMENTS)
    moments: int = parser.parse_args().moments
    rng, left, broken = Random(1), Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        sweep = undisturbed(Path(folder), duration=300)
        for number in range(moments):
            share = rng.random()
            try:
                left[kill_and_resume(sweep, Path(folder) / f"out{number}", share, 1 + number % 2)] += 1
            except Broken as error:
                broken += 1
                print(f"killed at {share:.3f} of the run: {error}", file=sys.stderr)
    print("  kills  left nothing  left parts  had ended  resumed to other bytes or taken for whole")
    print(f"{moments:7}  {left['nothing']:12}  {left['parts']:10}  {left['whole']:9}  {broken:41}")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
