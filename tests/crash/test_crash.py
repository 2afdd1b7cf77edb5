"""Whatever ends a run, nothing half written is taken for whole, and people are told in one line."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.crash.killing import (
    Undisturbed,
    command,
    kill,
    kill_and_resume,
    resume,
    started,
    undisturbed,
    wait_for_parts,
)
from tests.live.processes import alive, descendants, wait_until


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return undisturbed(tmp_path_factory.mktemp("sweep"), duration=300)


TRIES = 5
"""On a machine that pauses, a run may be over before anyone gets to end it."""


def test_killed_with_parts_finished_it_resumes_to_the_same_bytes(sweep: Undisturbed, tmp_path: Path) -> None:
    """Of one process; `tests/unit/test_simsage_resume.py` kills a run of several, and at chosen moments."""
    left = []
    while "parts" not in left and len(left) < TRIES:
        out = tmp_path / f"out{len(left)}"
        process = started(command(sweep.file, out, 1))
        wait_for_parts(process, out, 1)
        kill(process, 0.0)
        left.append(resume(sweep, out, 1))
    assert left[-1] == "parts"


def test_workers_do_not_outlive_a_run_that_is_killed_alone(sweep: Undisturbed, tmp_path: Path) -> None:
    for out in (tmp_path / f"out{number}" for number in range(TRIES)):
        process = started(command(sweep.file, out, 2))
        wait_for_parts(process, out, 1)
        workers = descendants(process.pid)
        if process.poll() is None:
            break
    assert len(workers) >= 2
    process.kill()
    process.wait()
    wait_until(lambda: not any(map(alive, workers)))


def test_a_half_written_folder_is_seen_to_be_broken(sweep: Undisturbed, tmp_path: Path) -> None:
    """The check can fail: a truncated file in the out folder is not taken for the undisturbed one's."""
    out = tmp_path / "out"
    shutil.copytree(sweep.whole, out)
    (out / "summary.json").write_bytes((out / "summary.json").read_bytes()[:-1])
    with pytest.raises(AssertionError, match=r"summary\.json is not that"):
        kill_and_resume(sweep, out, 0.0, 1)


def said(sweep: Undisturbed, out: Path, most_bytes: int | None = None) -> tuple[int, str]:
    """Exit code and stderr of a run whose files may have that many bytes, as on a disk that fills up."""

    def limited() -> None:
        if most_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    run = command(sweep.file, out, 1)
    done = subprocess.run(run, preexec_fn=limited, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_disk_that_fills_up_loses_nothing_finished(sweep: Undisturbed, tmp_path: Path) -> None:
    """The parts fit, what is made of all of them does not; with more room the same command ends the same."""
    out = tmp_path / "out"
    most = 2 * (sweep.whole / "requests.parquet").stat().st_size // 3
    code, told = said(sweep, out, most)
    assert code == 2
    assert "File too large; 12 finished replications are kept; the same command goes on from there." in told
    assert "Traceback" not in told
    assert not out.exists()
    code, told = said(sweep, out)
    assert code == 0, told
    assert "12 of 12 replications were finished by an earlier run" in told
    for name in ("summary.json", "requests.parquet"):
        assert (out / name).read_bytes() == (sweep.whole / name).read_bytes()


def test_a_folder_that_cannot_be_written(sweep: Undisturbed, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    # Root may write anywhere but here.
    folder = tmp_path if os.geteuid() else Path("/proc/sys")
    code, told = said(sweep, folder / "out")
    assert code == 2
    assert "out.part; nothing was written." in told
    assert "Traceback" not in told


def test_ctrl_c_in_the_midst_is_one_line(sweep: Undisturbed, tmp_path: Path) -> None:
    # A job in the background of a shell ignores it, and hands that on to its children.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    for out in (tmp_path / f"out{number}" for number in range(TRIES)):
        process = subprocess.Popen(command(sweep.file, out, 1), stderr=subprocess.PIPE)
        wait_for_parts(process, out, 1)
        process.send_signal(signal.SIGINT)
        told = process.communicate()[1].decode()
        if process.returncode != 0:
            break
    signal.signal(signal.SIGINT, inherited)
    assert process.returncode == 130
    assert "Stopped; " in told
    assert "finished replications are kept; the same command goes on from there." in told
    assert "Traceback" not in told
    assert not out.exists()
