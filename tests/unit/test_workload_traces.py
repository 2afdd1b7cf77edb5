"""Traces: real ones read whole, malformed rows named by their line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simcore.errors import BadInput
from simcore.scenario.workload import Trace
from simcore.workload.traces import TraceRows, read_trace

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
REPOSITORY = Path(__file__).parents[2]


def read(path: Path, format: str, **more: object) -> TraceRows:
    spec = Trace.model_validate({"process": "trace", "format": format, "path": path.name} | more)
    return read_trace(spec, path.parent)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def real(name: str) -> Path:
    folders = [os.environ.get("SIMSAGE_TRACES", ""), REPOSITORY / "../shared/data/traces"]
    for path in (Path(folder) / name for folder in folders if folder):
        if path.is_file():
            return path
    pytest.skip(f"{name} is not here: set SIMSAGE_TRACES to the folder that holds it")


def test_azure(tmp_path: Path) -> None:
    rows = AZURE + "2023-11-16 18:17:04.0319600,8,0\n2023-11-16 18:17:03.9799600,4808,10\n"
    trace = read(write(tmp_path, "a.csv", rows), "azure")
    assert trace.times == pytest.approx([0.0, 0.052])
    assert trace.prompt_tokens.tolist() == [4808, 8]
    assert trace.output_tokens.tolist() == [10, 1]


def test_azure_with_time_zone(tmp_path: Path) -> None:
    rows = AZURE + "2024-05-10 00:00:00.009930+00:00,2162,5\n2024-05-10 00:00:01.009930+00:00,1,1\n"
    assert read(write(tmp_path, "a.csv", rows), "azure").times == pytest.approx([0.0, 1.0])


def test_burstgpt(tmp_path: Path) -> None:
    head = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
    trace = read(
        write(tmp_path, "b.csv", head + "5,ChatGPT,472,18,490,Conversation log\n45.5,GPT-4,9,0,9,x\n"),
        "burstgpt",
    )
    assert trace.times.tolist() == [0.0, 40.5]
    assert trace.output_tokens.tolist() == [18, 1]


def test_mooncake(tmp_path: Path) -> None:
    row = '{"timestamp": %d, "input_length": 700, "output_length": 5, "hash_ids": [4, 7]}\n'
    trace = read(write(tmp_path, "m.jsonl", row % 1000 + "\n" + row % 3500), "mooncake")
    assert trace.times.tolist() == [0.0, 2.5]
    assert trace.hash_ids == [(4, 7), (4, 7)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.csv", "num_prefill_tokens,num_decode_tokens\n3,4\n5,6\n"),
        ("s.jsonl", '{"input_toks": 3, "output_toks": 4}\n{"input_toks": 5, "output_toks": 6}\n'),
        (
            "s.json",
            '[{"prompt_tokens": 3, "output_tokens": 4},\n {"prompt_tokens": 5, "output_tokens": 6}]\n',
        ),
    ],
)
def test_sharegpt_lengths(tmp_path: Path, name: str, text: str) -> None:
    trace = read(write(tmp_path, name, text), "sharegpt", rate=1)
    assert (trace.prompt_tokens.tolist(), trace.output_tokens.tolist()) == ([3, 5], [4, 6])


def test_limit_takes_the_first_rows(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", AZURE + "2023-11-16 18:17:03,4,1\n2023-11-16 18:17:04,5,1\nbroken\n")
    assert read(path, "azure", limit=2).prompt_tokens.tolist() == [4, 5]


def test_every_malformed_row_is_told_with_its_line(tmp_path: Path) -> None:
    rows = "2023-11-16 18:17:03,4,1\nyesterday,4,1\n2023-11-16 18:17:04,-4,1\n2023-11-16 18:17:05,4\n"
    path = write(tmp_path, "a.csv", AZURE + rows)
    with pytest.raises(BadInput) as caught:
        read(path, "azure")
    assert [(f.file, f.line, f.key, f.found) for f in caught.value.faults] == [
        (str(path), 3, "TIMESTAMP", "'yesterday'"),
        (str(path), 4, "ContextTokens", "'-4'"),
        (str(path), 5, "GeneratedTokens", "null"),
    ]


@pytest.mark.parametrize(
    ("format", "name", "text", "line"),
    [
        ("mooncake", "m.jsonl", '{"timestamp": 0, "input_length": 1, "output_length": 1}', 1),
        ("mooncake", "m.jsonl", '\n{"timestamp": 0', 2),
        ("mooncake", "m.jsonl", "[1]", 1),
        ("burstgpt", "b.csv", "Timestamp,Request tokens,Response tokens\nnan,1,1\n", 2),
        ("burstgpt", "b.csv", "Timestamp,Request tokens,Response tokens\n1,1.5,1\n", 2),
        ("sharegpt", "s.json", '[{"prompt_tokens": 3, "output_tokens": 4},\n{]', 2),
        ("sharegpt", "s.json", "{}", 1),
        ("azure", "a.csv", AZURE, 0),
        ("mooncake", "m.jsonl", "[" * 200_000, 1),
        ("sharegpt", "s.json", "[" + "[" * 200_000 + "]", 1),
    ],
)
def test_malformed_files(tmp_path: Path, format: str, name: str, text: str, line: int) -> None:
    with pytest.raises(BadInput) as caught:
        read(write(tmp_path, name, text), format)
    assert [fault.line for fault in caught.value.faults] == [line]


def test_a_real_azure_trace_is_read_whole() -> None:
    trace = read(real("AzureLLMInferenceTrace_code.csv"), "azure")
    assert len(trace.times) == 8819
    assert trace.times[-1] == pytest.approx(3435.948, abs=0.001)
    assert (trace.prompt_tokens[0], trace.output_tokens[0]) == (4808, 10)


def test_a_real_mooncake_trace_is_read_whole() -> None:
    trace = read(real("mooncake_synthetic.jsonl"), "mooncake")
    assert (len(trace.times), trace.prompt_tokens[0], len(trace.hash_ids[0])) == (3993, 40160, 79)
    assert (trace.times[1:] >= trace.times[:-1]).all()
