"""The folder of an unfinished run: whose it is, when it stays and when it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from simcore.errors import BadInput
from simsage.output import NotFree
from simsage.unfinished import unfinished


def ended(out: Path, key: str, stop: BaseException | None, finished: int = 1) -> int:
    """Finish that many replications and end so; tells how many an earlier run had left."""
    with unfinished(out, key) as folder:
        found = len(list(folder.glob("*.json")))
        for number in range(finished):
            (folder / f"{found + number}.json").write_text("{}")
        if stop is not None:
            raise stop
    return found


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt(), OSError(28, "No space left"), RuntimeError(), NotFree([])]
)
def test_what_was_finished_is_kept_and_said_to_be(tmp_path: Path, stop):
    out = tmp_path / "deep" / "out"
    with pytest.raises(type(stop)) as caught:
        ended(out, "a", stop, finished=2)
    assert caught.value.__notes__ == [
        "2 finished replications are kept; the same command goes on from there."
    ]
    assert ended(out, "a", None) == 2
    assert not list(out.parent.iterdir())


def test_another_key_finds_nothing_and_takes_nothing_away(tmp_path: Path):
    for key in ("a", "b", "b"):
        with pytest.raises(KeyboardInterrupt):
            ended(tmp_path / "out", key, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        assert ended(tmp_path / "out", "a", KeyboardInterrupt()) == 1
    assert ended(tmp_path / "out", "b", None) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("stop", "finished"), [(KeyboardInterrupt(), 0), (BadInput([]), 1)])
def test_nothing_stays_where_nothing_was_finished_or_the_input_was_bad(tmp_path: Path, stop, finished):
    with pytest.raises(type(stop)) as caught:
        ended(tmp_path / "out", "a", stop, finished)
    assert not hasattr(caught.value, "__notes__")
    assert not list(tmp_path.iterdir())


def test_two_runs_never_share_it(tmp_path: Path):
    with unfinished(tmp_path / "out", "a") as folder:
        (folder / "0.json").write_text("{}")
        with pytest.raises(BadInput, match="another run is writing"), unfinished(tmp_path / "out", "a"):
            pass
        assert (folder / "0.json").exists()
        with unfinished(tmp_path / "other", "a"):
            pass
