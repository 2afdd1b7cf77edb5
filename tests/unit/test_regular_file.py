"""Files of others: no pipe is waited for, no device read, nothing endless; one clear error each."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from calibration.compose.table_file import read_table
from calibration.errors import CalibrationError
from simcore.errors import BadInput
from simcore.regular_file import opened, read_bytes
from simcore.scenario.yaml_file import read_source
from simcore.workload.records import csv_records, json_records, jsonl_records
from simsage import records
from simsage.cli import main
from simsage.comparison import reading
from tests.unit.simsage_support import write_scenario
from validate.recording import layout


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


READERS: list[Callable[[Path], object]] = [
    read_source,
    lambda path: next(csv_records(path)),
    lambda path: next(jsonl_records(path)),
    lambda path: next(json_records(path)),
    lambda path: reading.read_json(path.parent, path.name),
    lambda path: reading.check_columns(path, []),
    lambda path: next(layout.read_lines(path, reading.Summary)),
    lambda path: read_table(path, []),
]


@pytest.mark.parametrize("make", [pipe, endless, folder])
def test_what_is_no_regular_file_is_said_at_once(make: Callable[[Path], None], tmp_path: Path):
    make(tmp_path / "file")
    for read in READERS:
        with pytest.raises((BadInput, CalibrationError, OSError)):
            read(tmp_path / "file")


def test_compare_ends_on_a_folder_of_anything(tmp_path: Path):
    run = tmp_path / "run"
    assert CliRunner().invoke(main, ["run", str(write_scenario(tmp_path)), "--out", str(run)]).exit_code == 0
    names = ("summary.json", "environment.json", "scenario.yaml", records.FILE)
    for name, make in zip(names, (pipe, endless, endless, pipe), strict=True):
        kept = (run / name).rename(tmp_path / "kept")
        make(run / name)
        done = CliRunner().invoke(main, ["compare", str(run), str(run)])
        assert done.exit_code == 2, done.output
        assert "no regular file" in done.output
        (run / name).unlink()
        kept.rename(run / name)


def test_a_file_that_grows_while_it_is_read_ends_where_it_ended(tmp_path: Path):
    trace = tmp_path / "trace.jsonl"
    trace.write_text('{"a": 1}\n' * 3, encoding="utf-8")
    count = 0
    for _ in jsonl_records(trace):
        count += 1
        with trace.open("a", encoding="utf-8") as more:
            more.write('{"a": 1}\n' * 2000)
    assert count == 3
    with opened(trace) as file:
        trace.write_bytes(b"")
        assert file.read() == b"", "one that shrinks ends earlier"


def test_sizes_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="over"):
        read_bytes(large)
    for read in (csv_records, jsonl_records):
        with pytest.raises(BadInput, match="a line of over"):
            next(read(large))
    monkeypatch.setattr(layout, "MOST_BYTES", 1000)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"[" * 100_000))
    with pytest.raises(BadInput, match="over 1,000 bytes"):
        next(layout.read_lines(tmp_path / "bomb.gz", reading.Summary))
    monkeypatch.setattr(reading, "MOST_ROWS", 10)
    pq.write_table(pa.table({"variant": ["a"] * 11}), tmp_path / "rows.parquet")
    with pytest.raises(BadInput, match="11 rows"):
        reading.check_columns(tmp_path / "rows.parquet", [])
