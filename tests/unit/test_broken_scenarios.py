"""Eleven ways to break a scenario: one clear report each, exit code 2, and no folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from simsage.cli import main

GOOD = """\
schema_version: 1
name: good
duration_s: 5
streams:
  chat:
    kind: chat
    arrivals: {process: poisson, rate: 1}
    prompt_tokens: {distribution: constant, value: 8}
    output_tokens: {distribution: constant, value: 4}
backends:
  llm: {kind: llm, profile: cpu-qwen2-40m}
"""

PIPELINE = """\
schema_version: 1
name: cyclic
duration_s: 5
streams:
  rag:
    kind: pipeline
    arrivals: {process: poisson, rate: 1}
    stages:
      first:
        kind: chat
        after: [second]
        prompt_tokens: {distribution: constant, value: 8}
        output_tokens: {distribution: constant, value: 4}
      second:
        kind: chat
        after: [first]
        prompt_tokens: {distribution: constant, value: 8}
        output_tokens: {distribution: constant, value: 4}
backends:
  llm: {kind: llm, profile: cpu-qwen2-40m}
"""

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

CASES = {
    "wrong type": (GOOD.replace("rate: 1", "rate: fast"), ":7: streams.chat.arrivals.rate: found 'fast'"),
    "unknown key": (GOOD.replace("arrivals:", "arrivls:"), "did you mean 'arrivals'"),
    "unknown policy": (GOOD + "control_plane: {ordering: fifoo}\n", "did you mean 'fifo'"),
    "negative rate": (GOOD.replace("rate: 1", "rate: -1"), ":7: streams.chat.arrivals.rate: found -1"),
    "missing profile": (GOOD.replace("cpu-qwen2-40m", "cpu-qwen2-41m"), "did you mean 'cpu-qwen2-40m'"),
    "cyclic pipeline": (PIPELINE, "first"),
    "KV too small for one request": (
        GOOD.replace("40m}", "40m, engine: {num_gpu_blocks: 2, block_size: 4}}"),
        ":5: streams.chat: found requests of 8 prompt and 4 output tokens",
    ),
    "more sequences than tokens": (
        GOOD.replace("40m}", "40m, engine: {max_num_seqs: 64, max_num_batched_tokens: 32}}"),
        ":11: backends.llm.engine: found max_num_batched_tokens 32 below max_num_seqs 64",
    ),
    "anchors bomb": (BOMB, ":1: "),
    "empty file": ("", "found an empty"),
    "wrong version": (GOOD.replace("schema_version: 1", "schema_version: 2"), ":1: schema_version: found 2"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_broken_scenario_is_reported_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    text, expected = CASES[name]
    file = tmp_path / "scenario.yaml"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["run", str(file), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert expected in done.stderr.replace("\n", " "), done.stderr
    assert "Traceback" not in done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["scenario.yaml"]


def test_the_scenario_they_are_made_of_is_good(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(GOOD, encoding="utf-8")
    args = ["run", str(file), "--out", str(tmp_path / "out"), "--no-figures", "--replications", "1"]
    assert CliRunner().invoke(main, args).exit_code == 0


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    broken = (
        GOOD.replace("rate: 1", "rate: -1")
        .replace("value: 8", "value: many")
        .replace("kind: llm", "kind: lm")
    )
    file.write_text(broken, encoding="utf-8")
    done = CliRunner().invoke(main, ["run", str(file), "--out", str(tmp_path / "out")])
    lines = [
        int(part.split(":")[1])
        for part in done.stderr.replace(str(file), "\n@").split("\n")
        if part[:2] == "@:"
    ]
    assert lines == [7, 8, 11]
