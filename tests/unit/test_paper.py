"""The paper from scenario to text: the same bytes each time, and no number without a source."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow.parquet import read_schema

from simcore.errors import BadInput
from simcore.scenario.document import VerdictSpec
from simcore.scenario.load import load_scenario
from simsage.figures.catalogue import DRAWN
from simsage.paper.experiment import Experiment
from simsage.paper.numbers import AS_IT_STANDS
from simsage.paper.paper import ENTRIES, Options, paper
from simsage.run import Options as RunOptions
from tests.unit.simsage_support import SWEEP, stand_in, write_scenario

ROOT = Path(__file__).parents[2]
SPEC = {"claim": "Isolation helps", "stream": "interactive", "metric": "ttft"} | {
    "variant": "isolated",
    "baseline": "shared",
}
OTHER = SPEC | {"claim": "Searches", "stream": "search", "metric": "e2el"}
NUMERAL = re.compile(r"\d(?:[\d,]*\d)?(?:\.\d+)?")


def tiny(scenario: Path) -> Experiment:
    """Every topic that the scenario has something for."""
    return Experiment(
        section="5.0",
        title="Tiny",
        scenario=str(scenario),
        goal="Does it come out the same?",
        hypotheses=(VerdictSpec.model_validate(SPEC),),
        side_effects=(VerdictSpec.model_validate(OTHER),),
        topics=("claims", "latency", "sustained", "isolation", "cost", "breakdown", "queues", "side_effects"),
        figures=tuple(DRAWN),
        quick={"duration_s": 12},
        reference="shared",
    )


def write(scenario: Path, out: Path) -> None:
    """The paper of the tiny experiment, quick and with overrides."""
    one = tiny(scenario)
    plain = RunOptions(jobs=1, figures=False)
    paper(out, [one], [one], Options(True, {"seed": 11}, {"toy": 2.0}, {"toy": 700.0}, plain))


def files(folder: Path) -> dict[str, bytes]:
    """What the paper consists of."""
    found = [path for name in ENTRIES for path in [folder / name, *(folder / name).rglob("*")]]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.is_file()}


@pytest.fixture(scope="module")
def twice(tmp_path_factory) -> tuple[Path, Path]:
    """The paper written by two processes of which each orders its sets in a way of its own."""
    folder = tmp_path_factory.mktemp("paper")
    scenario = write_scenario(folder, sweep=SWEEP)
    code = "import sys; from pathlib import Path; from tests.unit.test_paper import write; "
    code += "write(*map(Path, sys.argv[1:]))"
    for seed, name in enumerate(("a", "b"), 1):
        command = [sys.executable, "-c", code, str(scenario), str(folder / name)]
        subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"PYTHONHASHSEED": str(seed)})
    return folder / "a", folder / "b"


def test_two_papers_are_the_same_bytes(twice):
    a, b = map(files, twice)
    assert a == b
    suffixes = {Path(name).suffix for name in a}
    assert suffixes == {".pdf", ".svg", ".png", ".md", ".html", ".csv", ".tex", ".json"}
    assert len([name for name in a if name.startswith("tables/")]) == 3 * 8


def test_every_number_is_what_its_source_says(twice):
    numbers = json.loads((twice[0] / "numbers.json").read_text())
    as_it_stands = {key: one for key, one in numbers.items() if one["how"] == AS_IT_STANDS}
    assert len(as_it_stands) > 50
    for key, number in numbers.items():
        assert key.startswith("noisy/")
        for source in number["sources"]:
            found = _at(twice[0], source)
            if key in as_it_stands:
                value = found["value"] if isinstance(found, dict) else found
                assert value == number["value"], key
                if isinstance(found, dict):
                    assert found["ci95"] == number["ci95"], key


def test_no_number_is_said_that_is_not_kept(twice):
    text = (twice[0] / "experiments.md").read_text()
    told = text[text.index("### Claims") : text.index("### What this rests on")]
    told = re.sub(r"^(\*Table|\*Figure|!\[).*$|95% interval|p\d\d|`[^`]*`", "", told, flags=re.MULTILINE)
    kept = json.loads((twice[0] / "numbers.json").read_text()).values()
    known = {numeral for one in kept for numeral in NUMERAL.findall(one["text"])} | {"2", "4"}
    assert len(NUMERAL.findall(told)) > 100
    assert set(NUMERAL.findall(told)) - known == set()


def test_the_text_says_what_was_changed_and_how_to_repeat_it(twice):
    text = (twice[0] / "experiments.md").read_text()
    assert "Changed in the scenario file: `seed=11`, `duration_s=12`." in text
    assert "--set seed=11 --set duration_s=12`" in text
    assert "Profile toy.json.** estimated: made up for tests; validation: never validated" in text
    assert "20" + "26" not in text.replace("2026-01-01", "")


def _at(folder: Path, source: str) -> object:
    file, _, pointer = source.partition("#/")
    if file.endswith(".parquet"):
        return read_schema(folder / file).field(pointer)
    found: object = (
        json.loads((folder / file).read_text()) if file.endswith(".json") else _yaml(folder / file)
    )
    for part in pointer.split("/"):
        found = found[int(part)] if isinstance(found, list) else found[part]  # type: ignore[index]
    return found


def _yaml(path: Path) -> object:
    return load_scenario(path, profile_check=lambda name: None).model_dump()


@pytest.fixture
def _no_engine(monkeypatch):
    monkeypatch.setattr("simsage.replication.simulate", stand_in)


def two(folder: Path) -> list[Experiment]:
    """Two experiments without figures, of two files of one content."""
    path = write_scenario(folder)
    other = path.with_name("second.yaml")
    other.write_text(path.read_text())
    made = [tiny(path), tiny(other)]
    return [replace(one, topics=("claims",), figures=()) for one in made]


@pytest.mark.usefixtures("_no_engine")
def test_one_experiment_is_rebuilt_and_the_other_stays(tmp_path: Path):
    first, second = both = two(tmp_path)
    out = tmp_path / "out"
    options = Options(run=RunOptions(jobs=1, figures=False))
    paper(out, both, both, options)
    before = files(out)
    untouched = (out / "runs/second/summary.json").stat().st_mtime_ns
    again = Options(overrides={"seed": 99}, run=RunOptions(jobs=1, figures=False, overwrite=True))
    paper(out, [first], both, again)
    after = files(out)
    assert (out / "runs/second/summary.json").stat().st_mtime_ns == untouched
    assert after["tables/second_claims.csv"] == before["tables/second_claims.csv"]
    assert after["tables/noisy_claims.csv"] != before["tables/noisy_claims.csv"]
    assert second.name == "second"
    assert {path.name for path in out.iterdir()} == {*ENTRIES, "runs"}


@pytest.mark.usefixtures("_no_engine")
def test_a_rate_changed_in_the_file_rebuilds_its_figure_and_no_other(tmp_path: Path):
    both = [replace(one, figures=("latency_cdf",)) for one in two(tmp_path)]
    out = tmp_path / "out"
    paper(out, both, both, Options(run=RunOptions(jobs=1, figures=False)))
    before = files(out)
    scenario = tmp_path / "noisy.yaml"
    scenario.write_text(scenario.read_text().replace("seed: 7", "seed: 8").replace("rate: 4", "rate: 8"))
    paper(out, both[:1], both, Options(run=RunOptions(jobs=1, figures=False, overwrite=True)))
    after = files(out)
    assert after["figures/noisy_latency_cdf.svg"] != before["figures/noisy_latency_cdf.svg"]
    assert after["figures/second_latency_cdf.svg"] == before["figures/second_latency_cdf.svg"]


@pytest.mark.usefixtures("_no_engine")
def test_nothing_that_is_there_is_replaced_unasked(tmp_path: Path):
    both = two(tmp_path)
    out = tmp_path / "out"
    options = Options(run=RunOptions(jobs=1, figures=False))
    paper(out, both[:1], both, options)
    before = files(out)
    with pytest.raises(BadInput):
        paper(out, both, both, replace(options, overrides={"seed": 99}))
    assert files(out) == before
    assert not (out / "runs/second").exists()
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "thesis.md").write_text("mine")
    with pytest.raises(BadInput):
        paper(strange, both, both, options)
    assert [path.name for path in strange.iterdir()] == ["thesis.md"]


@pytest.mark.usefixtures("_no_engine")
def test_a_folder_of_runs_with_figures_of_somebody_elses_is_no_paper(tmp_path: Path):
    both = two(tmp_path)
    (tmp_path / "thesis" / "runs" / "lab").mkdir(parents=True)
    (tmp_path / "thesis" / "figures").mkdir()
    (tmp_path / "thesis" / "figures" / "mine.pdf").write_text("years of work")
    with pytest.raises(BadInput, match="simsage paper has written"):
        paper(tmp_path / "thesis", both, both, Options(run=RunOptions(jobs=1, figures=False)))
    assert (tmp_path / "thesis" / "figures" / "mine.pdf").read_text() == "years of work"


@pytest.mark.usefixtures("_no_engine")
def test_a_paper_that_was_stopped_goes_on(tmp_path: Path):
    both, out = two(tmp_path), tmp_path / "out"
    options = Options(run=RunOptions(jobs=1, figures=False))
    paper(out, both[:1], both, options)
    shutil.rmtree(out / "figures")
    written = (out / "runs" / both[0].name / "environment.json").read_bytes()
    entries = paper(out, both, both, options)
    assert len(entries) == 2
    assert (out / "runs" / both[0].name / "environment.json").read_bytes() == written


@pytest.mark.usefixtures("_no_engine")
def test_a_price_of_what_no_experiment_names_is_refused_and_the_runs_stay(tmp_path: Path):
    both, out = two(tmp_path), tmp_path / "out"
    options = Options(watts={"toyy": 300.0}, run=RunOptions(jobs=1, figures=False))
    with pytest.raises(BadInput, match=r"--watts: toyy: found no profile .*did you mean 'toy'"):
        paper(out, both, both, options)
    assert [entry.name for entry in out.iterdir()] == ["runs"]
    assert len(paper(out, both, both, replace(options, watts={"toy": 300.0}))) == 2
