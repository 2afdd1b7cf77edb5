"""Worker: a measured backend in a subprocess that answers one JSON question at a time."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from calibration.backends.process import BackendProcess
from calibration.errors import BackendFailed

Message = dict[str, object]

START_LIMIT = 300.0
"""Seconds until a backend must have loaded; the first start compiles."""


class Worker(BackendProcess):
    """The asking side; the answering side is `calibration.backends.answering`.

    Questions go to the process's standard input, answers come back on a pipe of their own, so that
    nothing a backend prints can be taken for an answer.
    """

    def __init__(
        self, module: str, settings: Message, *, cores: Iterable[int], env: Mapping[str, str], log: Path
    ) -> None:
        self._answers, writing = os.pipe()
        try:
            super().__init__(
                module,
                [str(writing), json.dumps(settings)],
                cores=cores,
                env=env,
                log=log,
                pass_fds=[writing],
            )
        finally:
            os.close(writing)
        self._buffer = b""

    def ready(self, limit: float = START_LIMIT) -> Message:
        """What the backend said of itself once it had loaded; `BackendFailed` after ``limit`` seconds."""
        return self.answer(limit)

    def ask(self, question: Message, limit: float) -> Message:
        """Put a question and wait at most ``limit`` seconds; `BackendFailed` if no answer comes."""
        self.put(question)
        return self.answer(limit)

    def put(self, question: Message) -> None:
        """Put a question without waiting for its answer."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise self._failure("has died") from None

    def answer(self, limit: float) -> Message:
        """The answer to the oldest open question; `BackendFailed` after ``limit`` seconds without one."""
        deadline = time.monotonic() + limit
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                raise self._failure(f"gave no answer within {limit:.0f} s")
            received = os.read(self._answers, 1 << 16)
            if not received:
                raise self._failure("has died")
            self._buffer += received
        line, self._buffer = self._buffer.split(b"\n", 1)
        message = cast(Message, json.loads(line))
        if "error" in message:
            raise self._failure(f"failed: {message['error']}")
        return message

    def stop(self) -> None:
        """End the process group and close the pipe."""
        super().stop()
        if self._answers >= 0:
            os.close(self._answers)
            self._answers = -1

    def _failure(self, what: str) -> BackendFailed:
        return BackendFailed(
            f"the backend {self.module} {what}; the points measured so far are kept.\n"
            f"The end of {self.log}:\n{self.last_words()}"
        )
