"""A calibration of the real vLLM and its profile tested at once, on one and the same server."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from calibration.target import Target
from simcore.profile.load import load_profile
from simsage.cli import main
from tests.live.needs import needs
from tests.live.processes import processes
from validate.backends import launch

pytestmark = needs(Target("cpu", "qwen2-11m", parts=("llm",)).packages, "calibration")

SCENARIO = """
schema_version: 1
name: kept
duration_s: 6
streams:
  chat:
    kind: chat
    arrivals: {process: poisson, rate: 3}
    prompt_tokens: {distribution: uniform, low: 16, high: 100}
    output_tokens: {distribution: uniform, low: 8, high: 30}
backends:
  llm: {kind: llm, profile: cpu-qwen2-40m}
"""


def test_the_calibrations_server_is_the_validations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kept.yaml").write_text(SCENARIO)
    monkeypatch.setattr(launch, "start_one", lambda *args, **how: pytest.fail("a second server"))
    command = ["calibrate", "--cpu", "--model", "qwen2-11m", "--quick", "--part", "llm", "--minutes", "2"]
    test = ["--validate", str(tmp_path / "kept.yaml"), "--verdict", str(tmp_path / "verdict")]
    said = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "new.json"), *test])
    # Too few requests for a p99: what was measured cannot tell.
    assert said.exit_code == 1, said.output
    assert (tmp_path / "verdict" / "verdict.json").is_file()
    assert load_profile(str(tmp_path / "new.json"), tmp_path).llm is not None
    assert not processes(tmp_path / "new.work")
