"""BackendProcess: a measured process on its own core, stopped whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
LEASH = "calibration.backends.leash"
SESSION, USER, KERNEL = 3, 11, 12
"""Places of the session and of the two processor times after the name in ``/proc/PID/stat``."""
GRACE = 10.0
"""Seconds that a process group has between the request to end and its end by force."""


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Let a request to terminate (SIGTERM) unwind like any exception, so that backends are stopped.

    Only the main thread can arrange for that; in others nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class BackendProcess:
    """``python -m module arguments`` in its own process group, bound to ``cores``; a context manager.

    Whatever the process and its children print goes to ``log``. They all end with this object, and with this
    process however it ends (`calibration.backends.leash`).
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        cores: Iterable[int],
        env: Mapping[str, str],
        log: Path,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.module = module
        self.log = log
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        held, self._leash = os.pipe()
        handed = ",".join(map(str, pass_fds))
        with log.open("ab") as sink:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", LEASH, str(held), handed, module, *arguments],
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=sink,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p), **env},
                pass_fds=[held, *pass_fds],
                start_new_session=True,
            )
        os.close(held)
        # The interpreter is still starting: its threads and children will inherit the binding.
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(self.process.pid, cores)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def processor_seconds(self) -> float:
        """What the process and its descendants that live have computed (``man 5 proc_pid_stat``)."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # The name before the bracket may hold anything.
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[SESSION]) == self.process.pid:
                    ticks += int(fields[USER]) + int(fields[KERNEL])
        return ticks / os.sysconf("SC_CLK_TCK")

    def last_words(self, lines: int = 8) -> str:
        """The end of the log, for an error message."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> None:
        """End the whole process group, first by request, then by force."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(GRACE)
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        if self._leash >= 0:
            os.close(self._leash)
            self._leash = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
