"""The inputs of a recording: a scenario that finds all its files beside it, wherever that is moved."""

from __future__ import annotations

from pathlib import Path

from simcore.profile.load import load_profile
from simcore.scenario.load import load_scenario
from tests.factories import profile
from validate.cell import cells_of
from validate.recording.inputs import write_inputs

SCENARIO = """\
schema_version: 1
name: small
duration_s: 3
streams:
  chat:
    kind: chat
    arrivals: {process: trace, format: azure, path: ../there/a.csv}
backends:
  llm: {kind: llm, profile: ../there/a.json}
control_plane: {costs_profile: cpu-qwen2-40m}
variants:
  - name: plain
  - name: other
    set: {backends.llm.profile: b/a.json, streams.chat.arrivals.path: b/a.csv}
  - name: whole
    set: {backends.llm: {kind: llm, profile: cpu-qwen2-40m, count: 2}}
"""
ROWS = "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.0,{tokens},2\n"


def test_paths_and_shipped_names_become_files_beside_it(tmp_path: Path) -> None:
    base, there, to = tmp_path / "base", tmp_path / "there", tmp_path / "recording"
    (base / "b").mkdir(parents=True)
    there.mkdir()
    to.mkdir()
    (base / "small.yaml").write_text(SCENARIO)
    for number, folder in enumerate((there, base / "b"), start=1):
        (folder / "a.json").write_text(profile({"constant": float(number)}).to_json())
        (folder / "a.csv").write_text(ROWS.format(tokens=number))
    document = load_scenario(base / "small.yaml")
    names = ("../there/a.json", "b/a.json", "cpu-qwen2-40m")
    write_inputs(to, document, {name: load_profile(name, base) for name in names}, base)
    assert {file.name for file in to.iterdir()} == {
        *("scenario.yaml", "test.json", "test-2.json", "cpu-qwen2-40m.json"),
        *("trace-a.csv", "trace-a-2.csv"),
    }
    moved = to.rename(tmp_path / "moved")
    cells = {cell.variant: cell.document for cell in cells_of(load_scenario(moved / "scenario.yaml"))}
    for variant, seconds, tokens in (("plain", 1.0, 1), ("other", 2.0, 2)):
        llm = load_profile(str(cells[variant].backends["llm"].profile), moved).llm
        assert llm is not None
        assert llm.step_time.constant == seconds
        arrivals = cells[variant].streams["chat"].arrivals
        assert arrivals is not None
        assert (moved / arrivals.path).read_text() == ROWS.format(tokens=tokens)
    assert cells["whole"].backends["llm"].profile == "cpu-qwen2-40m.json"
    assert cells["plain"].control_plane.costs_profile == "cpu-qwen2-40m.json"
