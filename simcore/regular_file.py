"""regular_file: reading files that may be anybody's: no pipe, no device, and none without an end."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

MOST_BYTES = 64 << 20
"""Of a file that is read into memory whole, unless said otherwise."""


class _Part(io.RawIOBase):
    """The first bytes of a file: one that somebody appends to while it is read would have no end."""

    def __init__(self, descriptor: int, size: int) -> None:
        super().__init__()
        self._file = io.FileIO(descriptor)
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._file.readinto(memoryview(buffer)[: self._left]) or 0
        self._left -= count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def opened(path: Path, most: int | None = None) -> Iterator[io.BufferedReader]:
    """The file, as far as it is written now, to be read from its start.

    Raises OSError, also for what is no regular file (opening a pipe would wait for who writes into it) and
    for one of over ``most`` bytes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        size = _size(os.fstat(descriptor), path, most)
    except OSError:
        os.close(descriptor)
        raise
    with io.BufferedReader(_Part(descriptor, size)) as file:
        yield cast("io.BufferedReader", file)


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """What is in it. Raises OSError as `opened` does."""
    with opened(path, most) as file:
        return file.read()


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """The same in UTF-8. Raises UnicodeDecodeError, too."""
    return read_bytes(path, most).decode("utf-8")


def check_regular(path: Path, most: int | None = None) -> None:
    """Raise OSError as `opened` does, for a reader that opens files by itself."""
    _size(path.stat(), path, most)


def _size(found: os.stat_result, path: Path, most: int | None) -> int:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "no regular file", str(path))
    if most is not None and found.st_size > most:
        raise OSError(errno.EFBIG, f"{found.st_size:,} bytes, over {most:,}", str(path))
    return found.st_size
