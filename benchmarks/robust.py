"""Every campaign of docs/reliability.md as one table: what was tried, by which command, its last line.

The attacks on the gateway follow as a table of their own. Exit code 1 if any found something broken; what
that was is on standard error.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass

EXAMPLES = {"SIMSAGE_PROPERTY_EXAMPLES": "500"}
"""The random scenarios that each property of the invariants is tried on."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A command to python, whose exit code says whether all held and whose last line what was found."""

    what: str
    command: str

    def row(self) -> tuple[str, bool]:
        """Run it; a row of the table, and whether all held."""
        begun = time.perf_counter()
        python = [sys.executable, "-m", *shlex.split(self.command)]
        environment = {**os.environ, **EXAMPLES}
        ran = subprocess.run(python, check=False, env=environment, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
        if ran.returncode:
            print(ran.stdout, ran.stderr, sep="\n", file=sys.stderr)
        found = (ran.stdout.splitlines() or ["nothing printed"])[-1].strip("= ")
        return f"| {self.what} | `{self.command}` | {found} | {seconds:.0f} |", ran.returncode == 0


CAMPAIGNS = (
    Campaign("Invariants, 500 random scenarios each", "pytest tests/property/test_invariants.py"),
    Campaign(
        "Schedulers, queues and policies at random: jumps, fairness bounds",
        "pytest tests/property --ignore tests/property/test_invariants.py",
    ),
    Campaign("Queueing theory, and coverage of intervals", "pytest tests/theory"),
    Campaign("Damaged scenario and profile files", "benchmarks.robust_files"),
    Campaign(
        "Faults in the simulator, the gateway and a replay",
        "pytest tests/unit/test_faults.py tests/unit/test_gateway_faults.py tests/unit/test_replay_faults.py",
    ),
    Campaign(
        "Replays, gateway and watched servers on a machine that pauses",
        "benchmarks.robust_pauses tests/unit/test_replay.py tests/unit/test_replay_faults.py"
        " tests/unit/test_gateway_faults.py tests/unit/test_watch.py tests/unit/test_validate_faults.py",
    ),
    Campaign("SIGKILL at random moments, and resumption", "benchmarks.robust_kills"),
    Campaign("Full disk, read-only folder, Ctrl-C", "pytest tests/crash"),
    Campaign(
        "Gateway against made-up, slow, huge and endless requests",
        "pytest tests/fuzz/test_gateway_fuzz.py tests/unit/test_gateway_clients.py",
    ),
    Campaign(
        "Files, texts and URLs of others: pipes, devices, endless files, escape sequences",
        "pytest tests/unit/test_printable.py tests/unit/test_regular_file.py",
    ),
    Campaign(
        "No pickle, no eval, no shell; pages escape what users wrote",
        "pytest tests/unit -k 'security or escape'",
    ),
    Campaign(
        "The same bytes on any number of threads and processes",
        "pytest tests/golden tests/unit/test_simsage_farm.py tests/unit/test_simsage_resume.py",
    ),
    Campaign("Mutants of scheduler, control plane and policies", "benchmarks.mutants"),
)


def main() -> int:
    """Print the table, a row as soon as its campaign ends."""
    print("| What | Command (`python -m`) | Found | Seconds |\n|---|---|---|---|", flush=True)
    all_held = True
    for campaign in CAMPAIGNS:
        row, held = campaign.row()
        print(row, flush=True)
        all_held &= held
    print("\nThe gateway under attack (`benchmarks.robust_gateway`):\n", flush=True)
    all_held &= (
        subprocess.run([sys.executable, "-m", "benchmarks.robust_gateway"], check=False).returncode == 0
    )
    return int(not all_held)


if __name__ == "__main__":
    sys.exit(main())
