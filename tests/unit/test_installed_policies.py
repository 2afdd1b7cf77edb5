"""A policy of another package, as a user writes one: declared by an entry point, named in a scenario."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pandas import read_parquet

POLICY = """
from simcore.policies.base import Routing

class Last(Routing):
    def choose(self, request, now):
        return max((backend.index for backend in self.settings.pool.accepting()), default=None)
"""
SCENARIO = """
schema_version: 1
name: own
duration_s: 5
replications: 2
streams:
  chat:
    kind: chat
    arrivals: {process: constant, rate: 2}
    prompt_tokens: {distribution: constant, value: 50}
    output_tokens: {distribution: constant, value: 4}
backends:
  llm: {kind: llm, profile: cpu-qwen2-40m, count: 3}
control_plane: {routing: last}
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder as pip leaves it, with one module and its metadata, and a scenario beside."""
    (tmp_path / "own.py").write_text(POLICY)
    metadata = tmp_path / "own-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[simsage.routing]\nlast = own:Last\nround_robin = own:Last\n")
    (tmp_path / "own.yaml").write_text(SCENARIO)
    return tmp_path


def python(package: Path, code: str) -> str:
    """What ``code`` prints in a fresh interpreter that has the package; both streams."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=package,
        env={"PYTHONPATH": f"{package}:{Path(__file__).parents[2]}"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return run.stdout


def command(package: Path, *arguments: str) -> str:
    return python(package, f"from simsage.cli import main; main({list(arguments)!r})")


def test_a_scenario_runs_with_it(package: Path) -> None:
    command(package, "run", "own.yaml", "--out", "out", "--no-figures")
    assert set(read_parquet(package / "out/requests.parquet").backend) == {"llm-2"}


def test_it_is_among_the_allowed_names(package: Path) -> None:
    assert "did you mean 'last'" in command(package, "run", "own.yaml", "--set", "control_plane.routing=lust")


def test_a_name_of_ours_stays_ours(package: Path) -> None:
    """Or a scenario's results would depend on what happens to be installed."""
    found = python(
        package,
        "from simcore.policies.registry import _find, ROUTINGS, Routing\n"
        "print(_find('routing', ROUTINGS, 'round_robin', Routing).__name__)",
    )
    assert found == "RoundRobin\n"


def test_what_is_no_policy_is_bad_input(package: Path) -> None:
    (package / "own.py").write_text("class Last: pass\n")
    text = command(package, "run", "own.yaml", "--out", "out", "--no-figures")
    assert "Traceback" not in text
    assert "allowed: a subclass of simcore.policies.base.Routing" in " ".join(text.split())


def test_a_stopped_run_does_not_go_on_with_a_changed_policy(package: Path) -> None:
    digest = "from simsage.identity import programs; print(programs())"
    before = python(package, digest)
    assert before == python(package, digest)
    (package / "own.py").write_text(POLICY + "\n")
    assert before != python(package, digest)
