"""An nvidia-smi whose watts follow the step logs in a folder, so that what they are made of is known."""

from __future__ import annotations

import sys
from pathlib import Path

IDLE, STEP, TOKEN, TEXT, LIMIT = 100.0, 3.0, 0.5, 20.0, 5000.0
"""Watts at rest; joules of an engine's step, of a token computed and of a text embedded; watts at most."""

SCRIPT = """\
#!{python}
import json, sys, time
from pathlib import Path

if not any(argument.startswith("--loop-ms") for argument in sys.argv):
    sys.exit("no such query")


def joules(log, now):
    # The steps of the last second are in the last bytes of a log.
    found, before = 0.0, 0.0
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - {tail}))
        lines = file.read().splitlines()
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        begun, before = max(row["scheduled"], before), row["updated"]
        share = max(0.0, min(before, now) - max(begun, now - 1.0)) / (before - begun)
        if "step" in row:
            found += share * ({step} + {token} * (row["step"]["decodes"] + row["step"]["prefill_tokens"]))
        else:
            found += share * {text} * row["texts"]
    return found


while True:
    now = time.monotonic()
    drawn = {idle} + sum(joules(log, now) for log in Path({folder!r}).glob("*-steps-*.jsonl"))
    print(f"{{drawn:.2f}}, 50, 10, 1980, 40, 512, 0, {limit}", flush=True)
    time.sleep(0.2)
"""


def emulate(program: Path, work: Path) -> None:
    """Write the program, which reads the logs in the folder ``work``."""
    program.parent.mkdir(parents=True, exist_ok=True)
    drawn = {"idle": IDLE, "step": STEP, "token": TOKEN, "text": TEXT, "limit": LIMIT}
    program.write_text(SCRIPT.format(python=sys.executable, folder=str(work), tail=100_000, **drawn))
    program.chmod(0o755)
