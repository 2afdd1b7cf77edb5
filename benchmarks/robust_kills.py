"""A sweep, a run and a calibration, each killed with SIGKILL at random moments and resumed: one table.

Exit code 1 if any of them leaves what is not whole, or ends in something else than undisturbed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

from tests.crash import calibrating
from tests.crash.killing import Broken, kill_and_resume, seconds_of, undisturbed
from tests.unit.blackbox_server import serving
from tests.unit.simsage_support import SWEEP

MOMENTS = 50
Kill = Callable[[int, float], str]
"""Kills the one of that number after that share of an undisturbed one's time; says what that left."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=MOMENTS)
    moments: int = parser.parse_args().moments
    together = Counter[str]()
    print("command               kills  left nothing  left parts  had ended  broken")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(serving(calibrating.steady))
        for name, kill in _kills(folder, url):
            ends = _campaign(name, kill, moments)
            together += ends
            counts = f"{ends['nothing']:12}  {ends['parts']:10}  {ends['whole']:9}  {ends['broken']:6}"
            print(f"{name:20}  {moments:5}  {counts}", flush=True)
    print(
        f"{together.total()} kills: {together['nothing']} left nothing, {together['parts']} parts,"
        f" {together['whole']} had ended, {together['broken']} broken"
    )
    return int(together["broken"] > 0)


def _kills(folder: Path, url: str) -> Iterator[tuple[str, Kill]]:
    for name, sweep in (("run of a sweep", SWEEP), ("run", "")):
        yield name, _of_a_run(folder / name.replace(" ", "_"), sweep)
    yield "calibrate", _of_a_calibration(folder / "calibrate", url)


def _of_a_run(folder: Path, sweep: str) -> Kill:
    folder.mkdir()
    run = undisturbed(folder, duration=300, sweep=sweep)
    return lambda number, share: kill_and_resume(run, folder / f"out{number}", share, 1 + number % 2)


def _of_a_calibration(folder: Path, url: str) -> Kill:
    folder.mkdir()
    seconds = seconds_of(calibrating.command(url, folder / "whole.json"))
    return lambda number, share: calibrating.kill_and_resume(
        url, folder / f"out{number}.json", share * seconds
    )


def _campaign(name: str, kill: Kill, moments: int) -> Counter[str]:
    rng, ends = Random(1), Counter[str]()
    for _ in range(moments):
        share = rng.random()
        try:
            ends[kill(ends.total(), share)] += 1
        except Broken as error:
            ends["broken"] += 1
            print(f"{name} killed at {share:.3f} of its time: {error}", file=sys.stderr)
    return ends


if __name__ == "__main__":
    sys.exit(main())
