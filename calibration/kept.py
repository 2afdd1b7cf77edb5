"""Kept: servers that a calibration leaves running for who tests its profile on them."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from calibration.backends.server import ListeningProcess


class Kept:
    """A context manager; the ``servers`` that it was given stop on leaving."""

    def __init__(self) -> None:
        self.servers: list[ListeningProcess] = []
        self._stack = ExitStack()

    def keep(self, server: ListeningProcess) -> None:
        """Stop ``server`` not before leaving."""
        self.servers.append(self._stack.enter_context(server))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
