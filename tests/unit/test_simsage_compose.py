"""simsage compose: an estimated profile that a scenario can run on, and clear refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from simcore.profile.load import load_profile
from simsage.cli import main


def composed(*arguments: str, out: Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["compose", "--out", str(out), *arguments])
    return done.exit_code, done.output


def test_a_roofline_is_a_profile_labelled_estimated(tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    assert composed("--roofline", "rtx-4090", "--model", "llama-3.1-8b", out=out)[0] == 0
    profile = load_profile(str(out), Path())
    assert (profile.name, profile.provenance.how) == ("mine", "estimated")
    assert profile.llm is not None
    assert profile.llm.engine.num_gpu_blocks < 5000  # 8B in 16 bits leaves little of 24 GB


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--roofline", "rtx-4099", "--model", "llama-3.1-8b"), "did you mean 'rtx-4090'"),
        (("--roofline", "rtx-4090", "--model", "llama-3.1-70b"), "no room for a KV cache"),
        (("--roofline", "rtx-4090", "--model", "llama-9"), "no facts about 'llama-9'"),
        (("--roofline", "rtx-4090", "--model", "llama-3.1-8b", "--tp", "3"), "cannot be split over 3"),
        (("--model", "llama-3.1-8b"), "one of --tables and --roofline"),
    ],
)
def test_what_cannot_be_composed_is_said_and_nothing_written(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    code, output = composed(*arguments, out=tmp_path / "none.json")
    assert code != 0
    assert said in output
    assert "Traceback" not in output
    assert not list(tmp_path.iterdir())


def test_a_file_that_names_no_profile_is_refused(tmp_path: Path) -> None:
    code, output = composed("--roofline", "l4", "--model", "llama-3.1-8b", out=tmp_path / "my file.json")
    assert code == 1
    assert "'my file'" in output
