"""The experiments that `simsage paper` knows: what they name is there, and how they are asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from simcore.errors import BadInput
from simcore.scenario.load import load_scenario
from simsage.bundled import find_scenario
from simsage.cli import main
from simsage.figures.catalogue import DRAWN
from simsage.paper.catalogue import EXPERIMENTS, chosen
from simsage.paper.experiment import Experiment
from simsage.paper.figures import OWN
from simsage.paper.paper import Options, paper
from simsage.paper.topics.catalogue import TOPICS
from simsage.run import Options as RunOptions


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda one: one.name)
def test_what_an_experiment_names_is_there(tmp_path: Path, experiment: Experiment):
    path = find_scenario(experiment.scenario)
    for file in experiment.trace.values():
        (tmp_path / file).write_text("made up")
    (experiment,) = chosen((experiment.name,), tmp_path)
    load_scenario(path, {**experiment.overrides, **experiment.quick})
    document = load_scenario(path, experiment.overrides)
    variants = {variant.name for variant in document.variants}
    for spec in (*experiment.hypotheses, *experiment.side_effects):
        assert {spec.variant, spec.baseline} <= variants
        assert spec.stream in document.streams
    assert not {experiment.reference} - variants - {""}
    assert set(experiment.topics) <= set(TOPICS)
    assert set(experiment.figures) <= {*DRAWN, *OWN}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--set", "seed=1"], "give its experiment with --only"),
        (["--only", "nonsense"], "'nonsense'"),
        (["--only", "mooncake"], "'mooncake'"),
        (["--price", "nonsense"], "PROFILE=PRICE"),
        (["--watts", "nonsense"], "PROFILE=WATTS"),
    ],
)
def test_bad_input_ends_with_2_and_no_folder(tmp_path: Path, args: list[str], said: str):
    done = CliRunner().invoke(main, ["paper", "--out", str(tmp_path / "out"), *args])
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_experiments_are_of_different_names_and_sections():
    assert (
        len({one.name for one in EXPERIMENTS})
        == len(EXPERIMENTS)
        == len({one.section for one in EXPERIMENTS})
    )


def test_traces_are_replayed_from_the_folder_that_is_given(tmp_path: Path):
    assert not {"azure_code", "mooncake"} & {one.name for one in chosen(())}
    with pytest.raises(BadInput, match=r"mooncake_trace\.jsonl"):
        chosen(("mooncake",), tmp_path)
    file = tmp_path / "AzureLLMInferenceTrace_code.csv"
    file.write_text("")
    (azure,) = chosen(("azure_code",), tmp_path)
    assert azure.overrides == {"streams.code.arrivals.path": str(file)}


def test_an_experiment_on_a_trace_is_written_without_the_place_of_the_file(tmp_path: Path):
    rows = [f"2023-11-16 18:15:{n // 2:02d}.{5 * (n % 2)}000000,{100 + n},{5 + n % 9}\n" for n in range(100)]
    (tmp_path / "AzureLLMInferenceTrace_code.csv").write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(rows)
    )
    azure = [replace(one, figures=()) for one in chosen(("azure_code",), tmp_path)]
    short = {"duration_s": 60, "warmup_s": 5}
    options = Options(quick=True, overrides=short, run=RunOptions(jobs=1, figures=False))
    paper(tmp_path / "out", azure, EXPERIMENTS, options)
    text = (tmp_path / "out" / "experiments.md").read_text(encoding="utf-8")
    assert '`streams.code.arrivals.path="AzureLLMInferenceTrace_code.csv"`' in text
    assert str(tmp_path) not in text
