"""The folder of a run appears whole or not at all, and nothing else is ever replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from simcore.errors import BadInput
from simsage.output import ENVIRONMENT, SUMMARY, published


def publish(out: Path, text: str, overwrite: bool = False) -> None:
    with published(out, overwrite) as folder:
        for name in (SUMMARY, ENVIRONMENT):
            (folder / name).write_text(text)


def test_it_appears_at_the_end(tmp_path: Path):
    out = tmp_path / "deep" / "out"
    with published(out, False) as folder:
        (folder / SUMMARY).write_text("{}")
        assert not out.exists()
    assert (out / SUMMARY).read_text() == "{}"
    assert [entry.name for entry in out.parent.iterdir()] == ["out"]


def stopped(out: Path, stop: BaseException) -> None:
    with published(out, False) as folder:
        (folder / SUMMARY).write_text("{}")
        raise stop


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), OSError(), BadInput([])])
def test_a_stopped_run_leaves_nothing(tmp_path: Path, stop):
    with pytest.raises(type(stop)):
        stopped(tmp_path / "out", stop)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_run_is_replaced_on_demand_and_kept_when_stopped(tmp_path: Path):
    out = tmp_path / "out"
    publish(out, "first")
    with pytest.raises(BadInput, match="--overwrite"):
        publish(out, "second")
    with pytest.raises(KeyboardInterrupt), published(out, True):
        raise KeyboardInterrupt
    assert (out / SUMMARY).read_text() == "first"
    publish(out, "second", overwrite=True)
    assert (out / SUMMARY).read_text() == "second"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_overwrite_never_takes_away_what_no_run_has_written(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BadInput, match="no run has written"):
        publish(tmp_path, "{}", overwrite=True)
    with pytest.raises(BadInput, match="a file"):
        publish(tmp_path / "thesis.tex", "{}", overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_link_stays_a_link_to_what_is_replaced(tmp_path: Path):
    real, link = tmp_path / "disk" / "real", tmp_path / "link"
    real.mkdir(parents=True)
    link.symlink_to(real)
    publish(link, "first")
    publish(link, "second", overwrite=True)
    assert link.is_symlink()
    assert (real / SUMMARY).read_text() == "second"
    assert [entry.name for entry in real.parent.iterdir()] == ["real"]
    assert [entry.name for entry in tmp_path.iterdir() if entry != link] == ["disk"]


def test_the_folder_that_the_command_runs_in_is_not_taken_from_under_it(tmp_path: Path, monkeypatch):
    within = tmp_path / "a" / "b"
    within.mkdir(parents=True)
    monkeypatch.chdir(within)
    for out in (Path(), Path(".."), within):
        with pytest.raises(BadInput, match="the folder that the command runs in"):
            publish(out, "{}")
    assert list(within.iterdir()) == []


def overtaken(out: Path) -> Path:
    """Publish into a folder into which somebody else puts something meanwhile."""
    with published(out, False) as folder:
        (folder / SUMMARY).write_text("hours of measuring")
        out.mkdir()
        (out / "notes.txt").write_text("mine")
    return folder


def test_what_appears_meanwhile_is_not_replaced_and_what_was_made_is_kept(tmp_path: Path):
    with pytest.raises(BadInput, match="a folder with files in it") as caught:
        overtaken(tmp_path / "out")
    (made,) = (entry for entry in tmp_path.iterdir() if entry.name != "out")
    assert caught.value.__notes__ == [f"What was made is in {made}."]
    assert (made / SUMMARY).read_text() == "hours of measuring"
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
