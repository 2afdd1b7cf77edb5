"""Replications in worker processes, with the engine itself: what comes out is the same, whoever dies."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simcore.errors import BadInput, Fault
from simcore.scenario.load import load_scenario
from simsage import farm
from simsage.cli import main
from simsage.errors import CannotFinish
from simsage.part import Part
from simsage.run import Options, cells_of, run
from simsage.work import Work
from tests.unit.simsage_support import SWEEP, profile, stand_in, write_scenario


def test_results_do_not_depend_on_the_number_of_workers(tmp_path: Path):
    path = write_scenario(tmp_path)
    for jobs in (1, 2):
        run(path, tmp_path / str(jobs), options=Options(jobs=jobs, figures=False))
    for name in ("summary.json", "requests.parquet"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def work(folder: Path, kind: type[Work] = Work) -> Work:
    """The twelve replications of a sweep, none of them finished."""
    cells = list(cells_of(load_scenario(write_scenario(folder, sweep=SWEEP))))
    kept = folder / "kept"
    kept.mkdir()
    return kind(cells, {"toy.json": profile()}, folder, kept)


def test_workers_start_once_the_work_left_is_worth_them(tmp_path: Path, monkeypatch):
    """The clock gives each cell a second more: 1 s x 11 is left and then 2 s x 10, over the limit of 19."""
    ticks = iter([0, 1, 1, 3, 3, 6])
    monkeypatch.setattr(farm, "perf_counter", lambda: next(ticks))
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)
    monkeypatch.setattr(farm, "WORTH_WORKERS_S", 19.0)
    monkeypatch.setattr("simsage.replication.simulate", stand_in)
    handed = []
    monkeypatch.setattr(farm, "_in_workers", lambda work, left, *_: handed.extend(left) or iter([]))
    done = list(farm.finish(work(tmp_path), None, print))
    assert (done, handed) == ([0, 1], list(range(2, 12)))


def test_faults_survive_the_way_from_a_worker(tmp_path: Path, monkeypatch):
    fault = Fault("x.yaml", 3, "streams", "nothing", "something")

    def refuse(*given, ended):
        if given[2] == 1:
            raise BadInput([fault])
        return stand_in(*given, ended=ended)

    monkeypatch.setattr("simsage.replication.simulate", refuse)
    with pytest.raises(BadInput) as caught:
        run(write_scenario(tmp_path), tmp_path / "out", options=Options(jobs=1, figures=False))
    assert caught.value.faults == (fault,)
    assert not (tmp_path / "out").exists()
    copied = type(caught.value)(*caught.value.__reduce__()[1])
    assert copied.faults == (fault,)


class Deadly(Part):
    """The fifth cell kills its worker, as often as there are files named ``death*`` to take away."""

    def simulate(self, cell, profiles, base):
        deaths = sorted(base.glob("death*"))
        if self.number == 5 and deaths:
            deaths[0].unlink()
            (self.folder / ".draft-000005.0.parquet").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Part.simulate(self, cell, profiles, base)


class DeadlyWork(Work):
    """Work in which that cell is."""

    def part(self, number: int) -> Part:
        return Deadly(self.folder, number)


def deadly(folder: Path, deaths: int) -> DeadlyWork:
    for number in range(deaths):
        (folder / f"death{number}").touch()
    made = work(folder, DeadlyWork)
    assert isinstance(made, DeadlyWork)
    return made


def test_what_a_dead_worker_was_at_is_run_again(tmp_path: Path):
    one = deadly(tmp_path, deaths=2)
    told: list[str] = []
    assert sorted(farm.finish(one, 2, told.append)) == list(range(12))
    assert one.left() == []
    assert [text for text in told if "SIGKILL" in text] == told
    assert len(told) == 2
    assert "replication 2 of 'isolated' at 2" in told[1]
    (tmp_path / "here").mkdir()
    for number in range(12):
        alone = Part(tmp_path / "here", number)
        alone.simulate(one.cells[number], one.profiles, tmp_path)
        assert alone.rows.read_bytes() == one.part(number).rows.read_bytes()


def test_a_cell_that_kills_its_worker_again_and_again_is_one_error_that_names_it(tmp_path: Path):
    one = deadly(tmp_path, deaths=99)
    told: list[str] = []
    with pytest.raises(CannotFinish, match=r"replication 2 of 'isolated' at 2: 3 worker processes died"):
        list(farm.finish(one, 2, told.append))
    assert len(told) == 1 + farm.MOST_TRIES
    assert len(list(tmp_path.glob("death*"))) == 99 - 1 - farm.MOST_TRIES
    assert 5 in one.left()


def test_a_cluster_needs_ray(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    scenario = write_scenario(tmp_path)
    args = ["run", str(scenario), "--out", str(tmp_path / "out"), "--cluster", "auto"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 1
    assert "pip install 'simsage[cluster]'\nnothing was written." in done.stderr
    assert {entry.name for entry in tmp_path.iterdir()} == {"noisy.yaml", "toy.json"}
