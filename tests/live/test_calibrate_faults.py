"""A real engine that dies or hangs while it is measured: one clear error, no process left, points kept."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from calibration.calibrate import calibrate
from calibration.errors import BackendFailed
from calibration.plan import tiny
from calibration.probes import engine as probe
from calibration.target import Target
from simcore.profile.load import load_profile
from tests.live.needs import needs
from tests.live.processes import processes

TARGET = Target("cpu", "qwen2-11m", parts=("llm",))

pytestmark = needs(TARGET.packages, "calibration")


def struck(folder: Path, strike: signal.Signals) -> Callable[[str, float], None]:
    """A progress display that strikes the engine once the first block of steps is kept."""

    def progress(what: str, part: float) -> None:
        store = folder / "points.jsonl"
        if what == "engine steps" and store.exists() and len(store.read_text().splitlines()) > 1:
            (engine,) = processes(folder, "-m calibration.backends.engine_worker")
            os.kill(engine, strike)

    return progress


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "BLOCK_TOKENS", 3000)


def blocks(folder: Path) -> list[str]:
    return (folder / "points.jsonl").read_text().splitlines()[1:]


def test_a_killed_engine_is_one_error_and_the_same_command_goes_on(tmp_path: Path) -> None:
    out, folder = tmp_path / "killed.json", tmp_path / "killed.work"
    with pytest.raises(BackendFailed, match="has died; the points measured so far are kept"):
        calibrate(out, TARGET, plan=tiny(), progress=struck(folder, signal.SIGKILL))
    assert not processes(folder)
    assert not out.exists()
    kept = blocks(folder)
    assert kept
    calibrate(out, TARGET, plan=tiny(), progress=lambda what, part: None)
    assert blocks(folder)[: len(kept)] == kept
    assert load_profile(str(out), Path()).llm is not None


def test_an_engine_that_hangs_is_told_from_a_slow_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "PATIENCE", 5.0)
    out, folder = tmp_path / "hung.json", tmp_path / "hung.work"
    with pytest.raises(BackendFailed, match=r"gave no answer within .* s; the points"):
        calibrate(out, TARGET, plan=tiny(), progress=struck(folder, signal.SIGSTOP))
    assert not processes(folder)
    assert not out.exists()
    assert blocks(folder)
