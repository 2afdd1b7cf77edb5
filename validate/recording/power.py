"""PowerMeter: what ``nvidia-smi`` says of the GPUs while replays run; nothing where there is none."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

PERIOD_MS = 200
QUERY = (
    *("power.draw", "utilization.gpu", "utilization.memory", "clocks.sm", "temperature.gpu"),
    *("memory.used", "index"),
)
HEAD = "epoch_s,watts,gpu_percent,memory_percent,sm_mhz,celsius,memory_mib,gpu"
"""Columns of power.csv.gz; ``epoch_s`` is when the line was read, ``gpu`` the GPU's index."""
GRACE = 5.0
"""Seconds that the program has to end."""


class PowerMeter:
    """Samples every 200 ms while its context lasts."""

    def __init__(self) -> None:
        self._rows: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def csv(self) -> bytes | None:
        """All samples so far as the content of power.csv.gz; None without any."""
        rows = list(self._rows)
        return gzip.compress("\n".join([HEAD, *rows, ""]).encode(), mtime=0) if rows else None

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
        query = f"--query-gpu={','.join(QUERY)}"
        self._process = subprocess.Popen(  # noqa: S603
            [program, query, "--format=csv,noheader,nounits", f"--loop-ms={PERIOD_MS}"],
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
