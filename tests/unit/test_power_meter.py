"""What nvidia-smi says meanwhile, of a made-up one."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from calibration.power_meter import PowerMeter, gpu_in_use
from calibration.power_samples import HEAD

FAKE = """\
#!/bin/sh
echo "$@" > "$(dirname "$0")/asked"
while true; do
  echo "71.74, 12, 3, 1980, 36, 512, 0, 700.00"
  echo "[N/A], 12, 3, 1980, 36, 512, 0, [N/A]"
  echo "a warning"
  sleep 0.05
done
"""


def nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "nvidia-smi"
    program.write_text(FAKE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_samples_have_the_time_and_all_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, monkeypatch)
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
    assert values == ["71.74", "12", "3", "1980", "36", "512", "0", "700.00"]
    assert len(head.split(",")) == len(rows[0].split(","))
    assert "--loop-ms=200" in (tmp_path / "asked").read_text()
    ended = meter.csv()
    time.sleep(0.2)
    assert meter.csv() == ended


def test_numbers_alone_are_samples_from_a_time_on_of_one_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-3, 1")
    nvidia_smi(tmp_path, monkeypatch)
    since = time.time()
    with PowerMeter(gpu_in_use()) as meter:
        while len(found := meter.samples(since)) < 2:
            assert time.time() < since + 20
            time.sleep(0.02)
    assert {(sample.watts, sample.sm_mhz) for sample in found} == {(71.74, 1980.0)}
    assert meter.samples(found[-1].at + 60.0) == []
    assert meter.limit_watts() == 700.0
    assert "--id=GPU-3 " in (tmp_path / "asked").read_text()


def test_without_the_program_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with PowerMeter() as meter:
        assert not meter.there
        assert meter.csv() is None
        assert meter.samples(0.0) == []
        assert meter.limit_watts() is None
