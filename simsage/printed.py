"""Printed: standard output and error of the commands; what others wrote reaches no terminal raw."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from simcore.printable import printable

CANNOT_WRITE = 1


class Printed(io.TextIOBase):
    """Writes to a stream what is `printable` of a text, and what the stream's encoding lacks as escapes."""

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream
        """Where rich writes, whose colours are escape sequences; `SafeConsole` looks at the texts itself."""
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write it; the length is that of ``text``."""
        self.rich_proxied_file.write(printable(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's, of which whatever it lacks is escaped."""
        return "utf-8"

    def flush(self) -> None:
        """Write what is held."""
        self.rich_proxied_file.flush()

    def isatty(self) -> bool:
        """Whether somebody looks."""
        return self.rich_proxied_file.isatty()

    def fileno(self) -> int:
        """The stream's file descriptor."""
        return self.rich_proxied_file.fileno()

    def writable(self) -> bool:
        """Yes."""
        return True


@contextmanager
def printed() -> Iterator[None]:
    """Print like that meanwhile. Exits with `CANNOT_WRITE` where standard output takes no more."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Printed(out), Printed(err)
    try:
        try:
            yield
        finally:
            sys.stdout, sys.stderr = out, err
            out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop(out)
        with suppress(OSError):
            err.write(f"standard output: {error.strerror or error}\n")
        sys.exit(CANNOT_WRITE)


def _drop(stream: TextIO) -> None:
    """Let what the stream still holds go nowhere, or the interpreter would try it once more at its end."""
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
