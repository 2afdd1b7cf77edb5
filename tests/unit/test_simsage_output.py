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
