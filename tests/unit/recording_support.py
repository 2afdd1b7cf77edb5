"""A live validation on made-up servers, its recording, and verdicts of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from simsage.cli import main
from tests.factories import profile
from tests.unit.gateway_support import FakeBackend
from tests.unit.loop_thread import in_thread
from tests.unit.test_simsage_validation import SCENARIO, STEP, stepping

SHORT = SCENARIO.replace("duration_s: 3", "duration_s: 1.5")
VARIANTS = """\
variants:
  - name: toy
  - name: other
    set: {backends.llm.profile: other.json}
"""


def validated(folder: Path, *more: str, scenario: str = SHORT) -> Result:
    """Replay it on a server with steps of `STEP` seconds into ``out``; another profile lies beside it."""
    (folder / "small.yaml").write_text(scenario)
    (folder / "toy.json").write_text(profile({"constant": STEP}).to_json())
    (folder / "other.json").write_text(profile({"constant": 2 * STEP}).to_json())
    fake = FakeBackend(stepping(STEP))
    with in_thread(fake.start):
        command = ["validate", "--live", str(folder / "small.yaml"), "--out", str(folder / "out")]
        return CliRunner().invoke(main, [*command, "--llm-url", fake.url, *more])


def judged(recording: Path, out: Path, *more: str) -> Result:
    """The recording judged by today's simulator."""
    return CliRunner().invoke(main, ["validate", "--recorded", str(recording), "--out", str(out), *more])


def verdict_in(folder: Path) -> Any:
    """What verdict.json says."""
    return json.loads((folder / "verdict.json").read_text())
