"""Replications in worker processes, with the engine itself: what comes out is the same."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from simcore.errors import BadInput, Fault
from simsage import farm
from simsage.run import Options, run
from tests.unit.simsage_support import stand_in, write_scenario


def test_results_do_not_depend_on_the_number_of_workers(tmp_path: Path):
    path = write_scenario(tmp_path)
    for jobs in (1, 2):
        run(path, tmp_path / str(jobs), options=Options(jobs=jobs, figures=False))
    for name in ("summary.json", "requests.parquet"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_workers_start_once_the_work_left_is_worth_them(tmp_path: Path, monkeypatch):
    """The clock gives each cell a second more than the last: 1 s x 5, 2 s x 4 left is over the limit of 7."""
    ticks = iter([0, 1, 1, 3, 3, 6])
    monkeypatch.setattr(farm, "perf_counter", lambda: next(ticks))
    monkeypatch.setattr(farm, "WORTH_WORKERS_S", 7.0)
    monkeypatch.setattr(farm, "replicate", lambda cell, profiles, base: (cell, pd.DataFrame()))
    handed = []
    monkeypatch.setattr(farm, "_in_workers", lambda cells, *_: handed.extend(cells) or iter([]))
    done = [cell for cell, _ in farm.replicate_all(list("abcdef"), {}, tmp_path, None)]
    assert (done, handed) == (["a", "b"], ["c", "d", "e", "f"])


def test_faults_survive_the_way_from_a_worker(tmp_path: Path, monkeypatch):
    fault = Fault("x.yaml", 3, "streams", "nothing", "something")

    def refuse(*given):
        if given[2] == 1:
            raise BadInput([fault])
        return stand_in(*given)

    monkeypatch.setattr("simsage.replication.simulate", refuse)
    with pytest.raises(BadInput) as caught:
        run(write_scenario(tmp_path), tmp_path / "out", options=Options(jobs=1, figures=False))
    assert caught.value.faults == (fault,)
    assert not (tmp_path / "out").exists()
    copied = type(caught.value)(*caught.value.__reduce__()[1])
    assert copied.faults == (fault,)
