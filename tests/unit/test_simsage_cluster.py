"""Runs on a real Ray cluster of two nodes: the bits of this machine, whatever worker or node dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simsage import farm_ray
from simsage.errors import CannotFinish
from simsage.run import Options, run
from tests.unit.ray_support import ray_cluster
from tests.unit.simsage_support import SWEEP, write_scenario

ray = pytest.importorskip("ray", reason="needs Ray: pip install 'simsage[cluster]'")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ray_cluster() as found:
        yield found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sweep of twelve replications; its search stream replays a trace, which nodes have to be sent."""
    made = write_scenario(tmp_path, sweep=SWEEP)
    trace = "{process: trace, format: sharegpt, path: ../traces/lengths.csv, rate: 2}"
    made.write_text(made.read_text().replace("{process: poisson, rate: 2}", trace))
    traces = tmp_path.parent / "traces"
    traces.mkdir(exist_ok=True)
    (traces / "lengths.csv").write_text("prompt_tokens,output_tokens\n5,3\n")
    return made


def on_cluster(path: Path, address: str, told: list[str]) -> None:
    run(path, path.parent / "out", options=Options(figures=False, warn=told.append, cluster=address))


def assert_same(path: Path) -> None:
    """As on this machine, and nothing else is left."""
    run(path, path.parent / "here", options=Options(jobs=1, figures=False))
    for name in ("summary.json", "requests.parquet"):
        assert (path.parent / "out" / name).read_bytes() == (path.parent / "here" / name).read_bytes()
    assert not list(path.parent.glob(".out*"))


def test_the_cluster_gives_the_bits_of_this_machine(path: Path, address: str):
    told: list[str] = []
    on_cluster(path, address, told)
    assert told == []
    assert_same(path)


def test_what_a_dead_worker_was_at_is_run_again(path: Path, address: str, monkeypatch):
    alive, simulated = path.parent / "alive", farm_ray.simulated
    alive.touch()

    def deadly(cell, parcel):
        if cell.replication == 1 and alive.exists():
            alive.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return simulated(cell, parcel)

    monkeypatch.setattr(farm_ray, "simulated", deadly)
    told: list[str] = []
    on_cluster(path, address, told)
    assert len(told) == 1
    assert told[0].startswith("A worker died in replication 1 of ")
    assert_same(path)


def test_a_cell_that_kills_its_workers_is_one_error_and_the_rest_is_kept(
    path: Path, address: str, monkeypatch
):
    simulated = farm_ray.simulated

    def deadly(cell, parcel):
        if (cell.variant, cell.point, cell.replication) == ("isolated", 4.0, 2):
            os.kill(os.getpid(), signal.SIGKILL)
        return simulated(cell, parcel)

    monkeypatch.setattr(farm_ray, "simulated", deadly)
    with pytest.raises(CannotFinish, match="replication 2 of 'isolated' at 4: 3 workers died") as caught:
        on_cluster(path, address, [])
    assert caught.value.__notes__ == [
        "11 finished replications are kept; the same command goes on from there."
    ]
    monkeypatch.setattr(farm_ray, "simulated", simulated)
    told: list[str] = []
    on_cluster(path, address, told)
    assert told == ["11 of 12 replications were finished by an earlier run; going on."]
    assert_same(path)


def test_a_node_with_other_programs_is_refused(path: Path, address: str, monkeypatch):
    monkeypatch.setattr(farm_ray, "programs", lambda: "others")
    with pytest.raises(CannotFinish, match="another Python, other packages or another simsage"):
        on_cluster(path, address, [])
    assert not list(path.parent.glob("*out*"))


def test_no_cluster_is_one_error(path: Path):
    with pytest.raises(CannotFinish, match=r"--cluster 127\.0\.0\.1:1"):
        on_cluster(path, "127.0.0.1:1", [])


def test_a_dead_node(path: Path, address: str, monkeypatch):
    """The last test: it leaves the head alone."""
    alive, simulated = path.parent / "alive", farm_ray.simulated
    alive.touch()

    def deadly(cell, parcel):
        if on_head():
            return simulated(cell, parcel)
        alive.unlink(missing_ok=True)
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)

    def on_head() -> bool:
        me = ray.get_runtime_context().get_node_id()
        return any(
            node["NodeID"] == me and "node:__internal_head__" in node["Resources"] for node in ray.nodes()
        )

    monkeypatch.setattr(farm_ray, "simulated", deadly)
    told: list[str] = []
    on_cluster(path, address, told)
    assert not alive.exists()
    assert told
    assert_same(path)
