"""What nvidia-smi says beside a replay, of a made-up one."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from validate.recording.power import HEAD, PowerMeter

FAKE = """\
#!/bin/sh
echo "$@" > "$(dirname "$0")/asked"
while true; do
  echo "71.74, 12, 3, 1980, 36, 512, 0"
  echo "a warning"
  sleep 0.05
done
"""


def test_samples_have_the_time_and_all_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(FAKE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    before = time.time()
    with PowerMeter() as meter:
        while (content := meter.csv()) is None:
            assert time.time() < before + 20
            time.sleep(0.02)
    assert meter.csv() is not None
    head, *rows = gzip.decompress(content).decode().splitlines()
    assert head == HEAD
    at, *values = rows[0].split(",")
    assert before - 0.01 <= float(at) <= time.time()
    assert values == ["71.74", "12", "3", "1980", "36", "512", "0"]
    assert len(head.split(",")) == len(rows[0].split(","))
    assert "--loop-ms=200" in (tmp_path / "asked").read_text()
    ended = meter.csv()
    time.sleep(0.2)
    assert meter.csv() == ended


def test_without_the_program_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with PowerMeter() as meter:
        assert meter.csv() is None
