"""One small scenario that touches every part, against figures that were written down.

A change of these figures is a change of what simsage says of the same cluster. After a deliberate one, run
``python -m tests.golden.test_golden`` and say why in the changelog.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.factories import profile

HERE = Path(__file__).parent
GOLDEN = HERE / "small.json"
FILES = ("requests.parquet", "summary.json", "scenario.yaml")


def run(folder: Path) -> Path:
    """The scenario run by a process of its own."""
    (folder / "profile.json").write_text(
        profile(
            {"constant": 0.004, "token": 1e-4, "decode": 2e-4, "context": 1e-6, "attention": 1e-8},
            {"constant": 0.005, "padded": 5e-5},
            sigma=0.05,
            overheads={"request": 0.002, "output": 0.001},
            engine={"max_num_batched_tokens": 128},
        ).to_json(),
        encoding="utf-8",
    )
    (folder / "small.yaml").write_text((HERE / "small.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "-m", "simsage", "run", "small.yaml", "--out", "run", "--no-figures"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    return folder / "run"


def figures(folder: Path) -> dict[str, Any]:
    """What is compared: every metric's value by variant and stream."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return {
        f"{row['variant']}/{row['stream']}/{row['stage'] or ''}/{name}": metric["value"]
        for row in summary["rows"]
        for name, metric in row["metrics"].items()
    }


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return run(tmp_path_factory.mktemp("first")), run(tmp_path_factory.mktemp("second"))


def test_the_figures_are_those_written_down(twice: tuple[Path, Path]) -> None:
    found = figures(twice[0])
    assert found == pytest.approx(json.loads(GOLDEN.read_text(encoding="utf-8")), rel=1e-9)


def test_two_processes_write_the_same_bytes(twice: tuple[Path, Path]) -> None:
    first, second = twice
    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as temporary:
        values = figures(run(Path(temporary)))
        GOLDEN.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", encoding="utf-8")
