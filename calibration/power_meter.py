"""PowerMeter: what ``nvidia-smi`` says of the GPUs meanwhile; nothing where there is none."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from calibration.power_samples import HEAD, PowerSample, read_power

PERIOD_MS = 200
QUERY = (
    *("power.draw", "utilization.gpu", "utilization.memory", "clocks.sm", "temperature.gpu"),
    *("memory.used", "index", "power.limit"),
)
LIMIT = -1
"""Which column the limit is."""
GRACE = 5.0
"""Seconds that the program has to end."""


def gpu_in_use() -> str:
    """What nvidia-smi calls the GPU that a process without a choice of its own computes on."""
    return os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip() or "0"


class PowerMeter:
    """Samples every 200 ms while its context lasts, of one GPU (its index or UUID) or of all."""

    def __init__(self, gpu: str | None = None) -> None:
        self._gpu = gpu
        self._rows: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    @property
    def there(self) -> bool:
        """Whether there is a program to ask."""
        return self._process is not None

    def csv(self) -> bytes | None:
        """All samples so far as the content of power.csv.gz; None without any."""
        rows = list(self._rows)
        return gzip.compress("\n".join([HEAD, *rows, ""]).encode(), mtime=0) if rows else None

    def samples(self, since: float) -> list[PowerSample]:
        """Those from ``since`` on, seconds since the epoch."""
        return [sample for sample in read_power([HEAD, *self._rows]) if sample.at >= since]

    def limit_watts(self) -> float | None:
        """The board's power limit as the newest sample that has one says it; None where none does."""
        for row in reversed(self._rows):
            with suppress(ValueError):
                return float(row.split(",")[LIMIT])
        return None

    def __enter__(self) -> Self:
        program = shutil.which("nvidia-smi")
        if program is not None:
            with suppress(OSError):
                self._start(program)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self._process.kill()
        self._reader.join(GRACE)

    def _start(self, program: str) -> None:
        chosen = [] if self._gpu is None else [f"--id={self._gpu}"]
        query = f"--query-gpu={','.join(QUERY)}"
        self._process = subprocess.Popen(  # noqa: S603
            [program, *chosen, query, "--format=csv,noheader,nounits", f"--loop-ms={PERIOD_MS}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            values = [value.strip() for value in line.split(",")]
            if len(values) == len(QUERY):
                self._rows.append(",".join([f"{time.time():.3f}", *values]))
