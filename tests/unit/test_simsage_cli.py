"""The command line: quick to start, exit codes, and nothing left behind on bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simsage.cli import main
from simsage.overrides import parse_overrides
from tests.unit.simsage_support import stand_in, write_scenario

HEAVY = (
    *("numpy", "pandas", "pyarrow", "scipy", "matplotlib", "pydantic", "torch", "rich", "jinja2", "simpy"),
    *("aiohttp", "prometheus_client"),
)


def invoke(*args: object):
    return CliRunner().invoke(main, [str(arg) for arg in args])


@pytest.mark.parametrize("args", [["run", "--help"], ["paper", "--help"], ["serve", "--help"], ["--help"]])
def test_help_loads_nothing_heavy(args: list[str]):
    code = (
        "import sys; from simsage.cli import main\n"
        f"try: main({args})\n"
        f"finally: print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage:")
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "args",
    [
        ["nowhere.yaml"],
        ["{scenario}", "--set", "streams.interactive.kind=chatt"],
        ["{scenario}", "--set", "control_plane.ordering=no_such_policy"],
        ["{scenario}", "--set", "nonsense"],
        ["{scenario}", "--set", "backends.llm.profile=nowhere.json"],
        ["{scenario}", "--set", "duration_s=NaN"],
    ],
)
def test_bad_input_ends_with_2_and_no_folder(tmp_path: Path, args: list[str]):
    scenario = write_scenario(tmp_path)
    done = invoke("run", *(arg.format(scenario=scenario) for arg in args), "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.endswith("1 fault; nothing was written.\n")
    assert {entry.name for entry in tmp_path.iterdir()} == {"noisy.yaml", "toy.json"}


def test_a_run_that_does_not_bear_out_its_claim_still_ends_with_0(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("simsage.replication.simulate", stand_in)
    scenario = write_scenario(tmp_path)
    args = ["run", scenario, "--out", tmp_path / "out", "--replications", 1, "--no-figures"]
    done = invoke(*args, "--json")
    assert done.exit_code == 0
    summary = json.loads(done.stdout)
    assert summary["replications"] == 1
    assert not summary["verdict"]["holds"]
    assert invoke(*args).exit_code == 2
    assert invoke(*args, "--overwrite").exit_code == 0


def test_overrides_are_numbers_words_or_lists():
    texts = ["a.b=3", "c=true", "d=least_kv", "e=[1, 2]", "f=x=y", "g=NaN"]
    assert parse_overrides(texts) == {
        "a.b": 3,
        "c": True,
        "d": "least_kv",
        "e": [1, 2],
        "f": "x=y",
        "g": "NaN",
    }


def test_a_value_deeper_than_a_file_may_be_is_a_text_that_fits_nowhere(tmp_path: Path):
    deep = "[" * 900 + "]" * 900
    assert parse_overrides([f"a={deep}"]) == {"a": deep}
    done = invoke(
        "run", "noisy_neighbor", "--set", f"backends.llm.count={deep}", "--out", str(tmp_path / "out")
    )
    assert (done.exit_code, done.stderr.count("\n")) == (2, 2)


def test_the_schema_is_json():
    schema = json.loads(invoke("schema").stdout)
    assert {"streams", "backends", "verdict"} <= set(schema["properties"])


def test_bundled_scenarios_are_found_by_name():
    names = invoke("scenarios").stdout.split()
    assert names == sorted(names)
    assert names
    done = invoke("run", names[0][:-1] + "x")
    assert done.exit_code == 2
    assert f"did you mean {names[0]!r}?" in done.stderr


def test_a_profile_that_is_not_there():
    done = invoke("profiles", "show", "nothing")
    assert done.exit_code == 2
    assert "no such profile" in done.stderr
