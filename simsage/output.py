"""The folder of a run: it appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simcore.errors import BadInput, Fault

SUMMARY = "summary.json"
PLAN = "plan.json"
ENVIRONMENT = "environment.json"
SCENARIO = "scenario.yaml"
REPORT = "report.html"
FIGURES = "figures"


def check_free(out: Path, overwrite: bool) -> None:
    """Raise BadInput where ``out`` holds something that may not be replaced.

    Even with ``overwrite`` only a folder that a run or a plan has written is replaced.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise _fault(out, "a file", "a folder that does not exist yet")
    if not any(out.iterdir()):
        return
    if not overwrite:
        raise _fault(out, "a folder with files in it", "a new or empty one, or --overwrite")
    ours = any((out / name).is_file() for name in (SUMMARY, PLAN))
    if not ours or not (out / ENVIRONMENT).is_file():
        raise _fault(out, "a folder that no run has written", "--overwrite replaces an earlier run's only")


@contextmanager
def published(out: Path, overwrite: bool, within: Path | None = None) -> Iterator[Path]:
    """Give a hidden folder beside ``out``, or ``within``, to write into; it becomes ``out`` if all goes well.

    On any exception, Ctrl-C included, it is removed and ``out`` stays as it was.
    """
    check_free(out, overwrite)
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=within or out.parent))
    try:
        yield work
        work.chmod(0o777 & ~_umask())
        _swap(work, out)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _swap(work: Path, out: Path) -> None:
    if not out.exists():
        work.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    out.rename(old)
    try:
        work.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _fault(out: Path, found: str, allowed: str) -> BadInput:
    return BadInput([Fault(str(out), 0, "--out", found, allowed)])
