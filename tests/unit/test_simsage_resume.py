"""A killed run goes on where it was, and what comes out is what an undisturbed one gives, byte for byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from simsage.cli import main
from simsage.run import Options, given_by, run
from tests.unit.simsage_support import SWEEP, profile, stand_in, write_scenario

SAME = ("summary.json", "requests.parquet", "scenario.yaml")
CELLS = 12
ONLY_HERE = (
    "streams.interactive.arrivals: {process: trace, format: mooncake, path: b.jsonl},"
    " streams.interactive.prompt_tokens: null, streams.interactive.output_tokens: null"
)
DYING = """\
import os, signal, sys
from pathlib import Path
from simsage import output, part
from simsage.run import Options, run

where, moment, scenario, out = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
owner, name = {"settle": (part, "_settle"), "swap": (output, "_swap")}[where]
undisturbed, calls = getattr(owner, name), 0

def dying(draft, whole):
    global calls
    calls += 1
    if calls == moment:
        if where == "settle":
            draft.write_bytes(draft.read_bytes()[:-7])
        os.kill(os.getpid(), signal.SIGKILL)
    undisturbed(draft, whole)

setattr(owner, name, dying)
run(scenario, Path(out), options=Options(jobs=1, figures=False, warn=print))
"""
"""A run that kills itself as a file of a part settles, not all of it written, or as its folder appears."""


def undisturbed(folder: Path, duration: int = 20) -> Path:
    """A sweep's scenario, and its run in ``whole``."""
    path = write_scenario(folder, sweep=SWEEP)
    path.write_text(path.read_text().replace("duration_s: 20", f"duration_s: {duration}"))
    run(path, folder / "whole", options=Options(jobs=1, figures=False))
    return path


def assert_same(folder: Path) -> None:
    for name in SAME:
        assert (folder / "out" / name).read_bytes() == (folder / "whole" / name).read_bytes(), name
    assert {entry.name for entry in folder.iterdir()} == {"noisy.yaml", "toy.json", "whole", "out"}


def test_killed_in_the_midst_of_every_kind_of_file(tmp_path: Path):
    """Each cell settles its rows and then its facts; a run that dies goes on from what the last one left."""
    path = undisturbed(tmp_path)
    found = []
    for where, moment in (("settle", 1), ("settle", 6), ("settle", 9), ("swap", 1), ("swap", 99)):
        command = [sys.executable, "-c", DYING, where, str(moment), str(path), str(tmp_path / "out")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == (0 if moment == 99 else -signal.SIGKILL), done.stderr
        found.append(done.stdout.split(" replications")[0])
        assert (tmp_path / "out").exists() == (moment == 99)
    assert found == ["", "", "2 of 12", "6 of 12", "12 of 12"]
    assert_same(tmp_path)


def test_a_real_sweep_in_workers_killed_once_it_has_finished_something(tmp_path: Path):
    path = undisturbed(tmp_path, duration=200)
    command = [sys.executable, "-c", "from simsage.cli import main; main()", "run", str(path)]
    command += ["--out", str(tmp_path / "out"), "--jobs", "2", "--no-figures"]
    killed: list[int] = []
    while not (tmp_path / "out").exists():
        process = subprocess.Popen(command, start_new_session=True)
        before = kept(tmp_path)
        while process.poll() is None and (killed or kept(tmp_path) <= before):
            time.sleep(0.001)
        if process.returncode is None:
            process.kill()
            process.wait()
            killed.append(process.pid)
        else:
            assert process.returncode == 0
    for group in killed:  # workers may outlive their run
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    assert killed
    assert_same(tmp_path)


def kept(folder: Path) -> int:
    return len(list(folder.glob(".out.part/*/*.json")))


class Stopping:
    """The stand-in for the engine, which Ctrl-C meets at its fourth replication."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, *given, ended):
        self.calls += 1
        if self.calls == 4:
            raise KeyboardInterrupt
        return stand_in(*given, ended=ended)


@pytest.fixture
def engine(monkeypatch) -> Stopping:
    stopping = Stopping()
    monkeypatch.setattr("simsage.replication.simulate", stopping)
    return stopping


def invoked(path: Path, *options: str):
    args = ["run", str(path), "--out", str(path.parent / "out"), "--jobs", "1", "--no-figures", *options]
    return CliRunner().invoke(main, args)


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(tmp_path: Path, engine: Stopping):
    path = write_scenario(tmp_path, sweep=SWEEP)
    done = invoked(path)
    assert done.exit_code == 130
    assert "Stopped; 3 finished replications are kept; the same command goes on from there." in done.stderr
    done = invoked(path)
    assert done.exit_code == 0
    assert "3 of 12 replications were finished by an earlier run; going on." in done.stderr
    assert engine.calls == CELLS + 1
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize("what", ["scenario", "seed", "profile", "program"])
def test_a_change_makes_all_of_it_anew(tmp_path: Path, engine: Stopping, monkeypatch, what: str):
    path = write_scenario(tmp_path, sweep=SWEEP)
    assert invoked(path).exit_code == 130
    if what == "scenario":
        path.write_text(path.read_text().replace("warmup_s: 5", "warmup_s: 4"))
    elif what == "profile":
        other = profile().model_copy(update={"description": "Another"})
        (tmp_path / "toy.json").write_text(other.to_json())
    elif what == "program":
        monkeypatch.setattr("simsage.identity.programs", lambda: "changed")
    done = invoked(path, *(["--seed", "8"] if what == "seed" else []))
    assert done.exit_code == 0, done.stderr
    assert "earlier run" not in done.stderr
    assert engine.calls == 4 + CELLS
    assert not list(tmp_path.glob(".out*"))


def test_a_trace_that_changed_makes_all_of_it_anew(tmp_path: Path, engine: Stopping):
    path = write_scenario(tmp_path, sweep=SWEEP)
    trace = "{process: trace, format: sharegpt, path: lengths.csv, rate: 2}"
    path.write_text(path.read_text().replace("{process: poisson, rate: 2}", trace))
    (tmp_path / "lengths.csv").write_text("prompt_tokens,output_tokens\n5,3\n")
    assert invoked(path).exit_code == 130
    (tmp_path / "lengths.csv").write_text("prompt_tokens,output_tokens\n7,3\n")
    assert "earlier run" not in invoked(path).stderr
    assert engine.calls == 4 + CELLS


def test_a_trace_that_only_a_variant_plays_is_part_of_what_is_run(tmp_path: Path) -> None:
    """What was finished with the file as it was before must not be taken up again."""
    path = write_scenario(tmp_path)
    text = path.read_text().replace("set: {control_plane.max_in_flight: 8}", f"set: {{{ONLY_HERE}}}")
    path.write_text(text)
    row = '{{"timestamp": {}, "input_length": 10, "output_length": 5, "hash_ids": []}}\n'
    (tmp_path / "b.jsonl").write_text(row.format(1000))
    before = given_by(path, {}).key
    assert given_by(path, {}).key == before
    (tmp_path / "b.jsonl").write_text(row.format(2000))
    assert given_by(path, {}).key != before
