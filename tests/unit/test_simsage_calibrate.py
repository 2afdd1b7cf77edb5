"""The command that calibrates: what it refuses before anything starts, and what it hands on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from simcore.errors import BadInput
from simsage import calibrate_and_validate as module
from simsage.calibrate_and_validate import on_profile
from simsage.cli import main
from tests.factories import profile

SCENARIO = """
schema_version: 1
name: both
duration_s: 10
streams:
  chat:
    kind: chat
    arrivals: {process: poisson, rate: 1}
    prompt_tokens: {distribution: constant, value: 8}
    output_tokens: {distribution: constant, value: 8}
  embed:
    kind: embedding
    arrivals: {process: poisson, rate: 1}
    text_tokens: {distribution: constant, value: 8}
backends:
  small: {kind: llm, profile: cpu-qwen2-40m}
  large: {kind: llm, profile: cpu-qwen2-40m}
  texts: {kind: embedding, profile: cpu-qwen2-40m}
"""


def calibrate(*options: str) -> Any:
    return CliRunner().invoke(main, ["calibrate", "--out", "mine.json", *options])


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--cpu", "--url", "http://x"], "Say one of"),
        (["--url", "http://x", "--minutes", "3"], "--minutes is for --cpu and --gpu"),
        (["--cpu", "--minutes", "0.5"], "0.5 is not in the range"),
        (["--url", "http://x", "--validate", "both.yaml"], "--validate is for --cpu and --gpu"),
        (["--cpu", "--verdict", "here"], "--verdict is the folder for --validate"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: list[str], why: str) -> None:
    said = calibrate(*options)
    assert said.exit_code == 2
    assert why in said.output


def test_all_measured_backends_of_a_scenario_go_on_the_new_profile(tmp_path: Path) -> None:
    (tmp_path / "both.yaml").write_text(SCENARIO)
    new = tmp_path / "new.json"
    assert on_profile(str(tmp_path / "both.yaml"), new) == {
        f"backends.{name}.profile": str(new) for name in ("small", "large", "texts")
    }


def test_a_scenario_with_a_fault_costs_no_calibration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "calibrate", lambda *args, **options: pytest.fail("calibrated"))
    (tmp_path / "bad.yaml").write_text(SCENARIO.replace("duration_s: 10", "duration_s: long"))
    said = calibrate("--cpu", "--validate", str(tmp_path / "bad.yaml"))
    assert said.exit_code == 2
    assert "duration_s" in said.output
    with pytest.raises(BadInput):
        on_profile(str(tmp_path / "bad.yaml"), tmp_path / "new.json")


@pytest.mark.parametrize("passed", [True, False])
def test_servers_are_kept_for_the_verdict_which_is_the_exit_code(
    passed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "both.yaml").write_text(SCENARIO)
    written = profile()
    written.provenance.notes.append("left out after 3 minutes: much")
    up: list[str] = []

    class Server:
        def __enter__(self) -> Server:
            up.append("server")
            return self

        def __exit__(self, *error: object) -> None:
            up.remove("server")

    def calibrated(*args: Any, kept: Any, minutes: float, **options: Any) -> Any:
        assert minutes == 3.0
        kept.keep(Server())
        return written

    def validated(scenario: str, out: Path, overrides: dict[str, str], options: Any) -> Any:
        assert up == ["server"]
        assert [type(server) for server in options.backends.kept] == [Server]
        assert out == tmp_path / "verdict"
        assert len(overrides) == 3
        return SimpleNamespace(passed=passed, state="PASS" if passed else "FAIL", sentence="as told")

    monkeypatch.setattr(module, "calibrate", calibrated)
    monkeypatch.setattr(module, "validate_live", validated)
    test = ["--validate", str(tmp_path / "both.yaml"), "--verdict", str(tmp_path / "verdict")]
    said = calibrate("--cpu", "--minutes", "3", *test)
    assert up == []
    assert said.exit_code == (0 if passed else 1), said.output
    assert "as told" in said.output
    assert "left out after 3 minutes: much" in said.output
