"""Damaged recordings: one error each, which names the file and the place, and nothing is written."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.recording_support import judged, validated


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simsage.figures.validation_catalogue.draw_one", lambda *_: None)
        validated(folder, "--repetitions", "1")
    return folder / "out" / "recording"


@pytest.fixture
def recording(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "recording"))


def without_steps(folder: Path) -> None:
    (folder / "steps-0.jsonl.gz").unlink()


def cut_off(folder: Path) -> None:
    file = folder / "requests-0.jsonl.gz"
    file.write_bytes(file.read_bytes()[:-20])


def no_gzip(folder: Path) -> None:
    (folder / "steps-0.jsonl.gz").write_bytes(b"{}")


def rewritten(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """With ``change`` made to its second line, or its only one."""

    def damage(folder: Path) -> None:
        file = folder / name
        read = gzip.decompress if name.endswith(".gz") else bytes
        rows = [json.loads(line) for line in read(file.read_bytes()).splitlines()]
        change(rows[min(1, len(rows) - 1)])
        text = "".join(json.dumps(row) + "\n" for row in rows).encode()
        file.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)

    return damage


REQUESTS, REPLAYS = "requests-0.jsonl.gz", "replays.jsonl"
STEP = {"decodes": 1, "decode_context": 9, "prefills": 0, "prefill_tokens": 0, "prefill_attention": 0.0}


def with_step(**changed: Any) -> Callable[[Path], None]:
    """A step log of one line."""
    line = {"scheduled": 0.1, "updated": 0.2, "busy": True, "step": STEP, **changed}

    def damage(folder: Path) -> None:
        (folder / "steps-0.jsonl.gz").write_bytes(gzip.compress(json.dumps(line).encode()))

    return damage


def two_scenarios(folder: Path) -> None:
    shutil.copy(folder / "scenario.yaml", folder / "another.yaml")


def no_profile(folder: Path) -> None:
    (folder / "test.json").unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (without_steps, "steps-0.jsonl.gz: (whole file): found no such file"),
        (cut_off, "requests-0.jsonl.gz: (whole file): found unreadable"),
        (no_gzip, "steps-0.jsonl.gz: (whole file): found unreadable"),
        (rewritten(REQUESTS, lambda row: row.pop("arrival")), ".gz:2: arrival: found no such column"),
        (rewritten(REQUESTS, lambda row: row.update(speed=1)), ".gz:2: speed: found 1"),
        (rewritten(REQUESTS, lambda row: row.update(arrival="soon")), ".gz:2: arrival: found 'soon'"),
        (rewritten(REQUESTS, lambda row: row.update(outcome="LOST")), ".gz:2: outcome: found LOST"),
        (rewritten(REQUESTS, lambda row: row.update(parent=10**6)), ".gz:2: parent: found 1000000"),
        (rewritten(REQUESTS, lambda row: row.update(parent=row["id"])), "the id of a pipeline request"),
        (rewritten(REQUESTS, lambda row: row.update(id=0)), ".gz:2: id: found 0; allowed: an id of its own"),
        (rewritten(REQUESTS, lambda row: row.update(finished=None)), ".gz:2: finished: found None"),
        (rewritten(REQUESTS, lambda row: row.update(first_token=1e9)), ".gz:2: first_token: found 100000"),
        (rewritten(REQUESTS, lambda row: row.update(arrival=float("nan"))), ".gz:2: arrival: found nan"),
        (
            rewritten(REQUESTS, lambda row: row.update(output_tokens=10**12)),
            "output_tokens: found 1000",
        ),
        (rewritten(REPLAYS, lambda row: row.update(epoch_start=float("inf"))), "epoch_start: found inf"),
        (rewritten(REPLAYS, lambda row: row.update(requests=3)), "allowed: 3, as replays.jsonl says"),
        (rewritten(REPLAYS, lambda row: row.update(variant="x")), "replays.jsonl:1: variant: found 'x'"),
        (rewritten(REPLAYS, lambda row: row.update(point=2.0)), "replays.jsonl:1: point: found 2.0"),
        (with_step(backend="gone"), "steps-0.jsonl.gz:1: backend: found gone"),
        (with_step(step={}), "steps-0.jsonl.gz:1: step.decodes: found no such column"),
        (two_scenarios, "*.yaml: found another.yaml, scenario.yaml; allowed: one scenario"),
        (no_profile, "test.json"),
    ],
)
def test_each_has_one_error(recording: Path, damage: Callable[[Path], None], said: str) -> None:
    damage(recording)
    result = judged(recording, recording.parent / "out")
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert "1 fault; nothing was written." in result.output
    assert not (recording.parent / "out").exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    result = judged(tmp_path / "gone", tmp_path / "out")
    assert result.exit_code == 2
    assert "--recorded: found no such folder" in result.output
