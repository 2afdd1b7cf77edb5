"""Recordings: a live validation is kept whole, and judged again from its files alone."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from calibration.recording_digest import recording_digest
from simcore.profile.load import load_profile
from simsage.cli import main
from simsage.validated import judged as really_judged
from tests.unit.recording_support import SHORT, VARIANTS, judged, validated, verdict_in
from validate.compare.verdict import Verdict
from validate.recording.keep import Recorder
from validate.replay.replay import Replayed


@pytest.fixture(autouse=True, scope="module")
def _no_figures() -> Iterator[None]:
    """They are most of the work, and nothing here looks at them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simsage.figures.validation_catalogue.draw_one", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one replay of each of two variants left."""
    folder = tmp_path_factory.mktemp("once")
    validated(folder, "--repetitions", "1", scenario=SHORT + VARIANTS)
    return folder


def test_a_recording_says_what_the_live_validation_said(tmp_path: Path) -> None:
    validated(tmp_path, "--repetitions", "2", scenario=SHORT + VARIANTS)
    moved = tmp_path / "elsewhere"
    shutil.move(tmp_path / "out" / "recording", moved)
    for name in ("small.yaml", "toy.json", "other.json"):
        (tmp_path / name).unlink()
    said = judged(moved, tmp_path / "again")
    assert said.exit_code == 1, said.output
    live, again = verdict_in(tmp_path / "out"), verdict_in(tmp_path / "again")
    assert {one["variant"] for one in again["comparisons"]} == {"toy", "other"}
    assert again == live
    report = (tmp_path / "again" / "report.html").read_text()
    environment = json.loads((moved / "environment.json").read_text())
    made = environment["date"]
    assert environment["software"]["numpy"] == environment["packages"]["numpy"]
    assert f"Judged from a recording of {made[:13]}" in report


def test_the_gateway_says_when_it_dispatched_each_request(once: Path) -> None:
    """A server at a URL has no step log: its requests are in no leg. The gateway's part is recorded."""
    recording = once / "out" / "recording"
    text = gzip.decompress((recording / "requests-0.jsonl.gz").read_bytes())
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) > 10
    for row in rows:
        assert row["arrival"] < row["dispatched"] < row["first_token"] < row["finished"]
    assert verdict_in(once / "out")["legs"] == []


def test_another_profile_takes_the_place_of_every_backends(tmp_path: Path, once: Path) -> None:
    said = judged(once / "out" / "recording", tmp_path / "b", "--profile", str(once / "other.json"))
    assert said.exit_code == 1, said.output
    before, after = verdict_in(once / "out"), verdict_in(tmp_path / "b")
    assert _simulated(after, "toy") == _simulated(after, "other") == _simulated(before, "other")
    assert _simulated(before, "toy") < 0.6 * _simulated(before, "other")


@pytest.mark.parametrize(
    ("state", "change", "said"),
    [
        ("failed", {}, "(default; held out): FAILED on "),
        ("passed", {"provenance": [0]}, "(default; 1 of 1 replays are in its fit): passed on "),
        ("withheld", {}, "not entered in {file}: a withheld verdict is none"),
        ("passed", {"software": {"vllm": "0.1"}}, "which is of something else: vllm 0.1, recorded None"),
        ("passed", None, "not entered in cpu-qwen2-40m, which is shipped"),
    ],
)
def test_a_file_of_the_recorded_machine_remembers_the_verdict_and_whether_it_had_seen_the_replays(
    state: str, change: dict[str, Any] | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validated(tmp_path, "--repetitions", "1")
    recording, file = tmp_path / "out" / "recording", tmp_path / "own.json"
    found = load_profile("other.json", tmp_path)
    if change and "provenance" in change:
        replays = {recording_digest(recording): change["provenance"]}
        change = {"provenance": found.provenance.model_copy(update={"fitted_replays": replays})}
    file.write_text(found.model_copy(update=change).to_json())
    monkeypatch.setattr("simsage.recorded.judged", lambda *what: stated(*what, state=state))
    named = "cpu-qwen2-40m" if change is None else str(file)
    output = judged(recording, tmp_path / "a", "--profile", named).output
    assert said.format(file=file) in output
    assert (load_profile("own.json", tmp_path).validation is None) == ("not entered" in output)


def stated(*what: Any, state: str) -> Verdict:
    """Judged, but for how well the machine of the test did."""
    return really_judged(*what).model_copy(update={"state": state})


def _simulated(verdict: dict, variant: str) -> float:
    (one,) = (one for one in verdict["comparisons"] if (one["variant"], one["metric"]) == (variant, "tpot"))
    return float(one["figures"][0]["simulated_ms"])


def test_only_what_was_replayed_is_judged(tmp_path: Path, once: Path) -> None:
    recording = Path(shutil.copytree(once / "out" / "recording", tmp_path / "recording"))
    first = (recording / "replays.jsonl").read_text().splitlines()[0]
    (recording / "replays.jsonl").write_text(first + "\n")
    variant = json.loads(first)["variant"]
    judged(recording, tmp_path / "b")
    assert {one["variant"] for one in verdict_in(tmp_path / "b")["comparisons"]} == {variant}
    missing = ({"toy", "other"} - {variant}).pop()
    said = judged(recording, tmp_path / "c", "--variant", missing)
    assert said.exit_code == 2
    assert "one that was replayed" in said.output


def test_a_stop_after_the_first_replay_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = Recorder.keep

    def stopping(self: Recorder, variant: str, point: float | None, one: Replayed) -> None:
        if self.replays:
            raise KeyboardInterrupt
        keep(self, variant, point, one)

    monkeypatch.setattr(Recorder, "keep", stopping)
    said, out = validated(tmp_path), tmp_path / "out"
    assert said.exit_code == 130
    assert f"1 replay kept; to judge: simsage validate --recorded {out / 'recording'}" in said.output
    assert [file.name for file in out.iterdir()] == ["recording"]
    assert not [file.name for file in tmp_path.iterdir() if file.name.startswith(".")]
    again = judged(out / "recording", tmp_path / "again")
    assert again.exit_code == 1, again.output
    assert len(verdict_in(tmp_path / "again")["comparisons"][0]["live_requests"]) == 1


def test_a_stop_before_the_first_replay_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Recorder, "keep", stopping)
    assert validated(tmp_path).exit_code == 130
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "either --live and a SCENARIO, or --recorded"),
        (["--live", "a.yaml", "--recorded", "b"], "either --live and a SCENARIO, or --recorded"),
        (["--live"], "--live needs a SCENARIO"),
        (["--live", "a.yaml", "--profile", "p"], "--profile goes with --recorded"),
        (["--recorded", "b", "a.yaml"], "--recorded excludes scenario"),
        (["--recorded", "b", "--repetitions", "2"], "--recorded excludes --repetitions"),
        (["--recorded", "b", "--set", "seed=1"], "--recorded excludes --set"),
    ],
)
def test_live_or_recorded_and_not_both(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["validate", *arguments])
    assert result.exit_code == 2
    assert said in result.output
