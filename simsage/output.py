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
ALLOWED = "a new or empty one; run, plan and paper replace their own with --overwrite"


class NotFree(BadInput):
    """Something else is where a run would be written."""


def check_free(out: Path, overwrite: bool) -> None:
    """Raise BadInput where ``out`` holds something that may not be replaced.

    Even with ``overwrite`` only a folder that a run or a plan has written is replaced, and never the one that
    the command runs in.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise _fault(out, "a file", "a folder that does not exist yet")
    if Path.cwd().is_relative_to(place_of(out)):
        raise _fault(out, "the folder that the command runs in", "one within it, or elsewhere")
    if not any(out.iterdir()):
        return
    if not overwrite:
        raise _fault(out, "a folder with files in it", ALLOWED)
    ours = any((out / name).is_file() for name in (SUMMARY, PLAN))
    if not ours or not (out / ENVIRONMENT).is_file():
        raise _fault(out, "a folder that no run has written", "--overwrite replaces an earlier run's only")


def place_of(out: Path) -> Path:
    """Where ``out`` is or will be, once links are followed."""
    return Path(os.path.realpath(out))


@contextmanager
def published(out: Path, overwrite: bool, within: Path | None = None) -> Iterator[Path]:
    """Give a hidden folder beside ``out``, or ``within``, to write into; it becomes ``out`` if all goes well.

    On any exception, Ctrl-C included, it is removed and ``out`` stays as it was. Where ``out`` has come to
    hold something meanwhile it is kept, and the exception says where.
    """
    check_free(out, overwrite)
    place = place_of(out)
    place.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=within or place.parent))
    try:
        yield work
        work.chmod(0o777 & ~_umask())
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    try:
        check_free(out, overwrite)
        _swap(work, place)
    except BaseException as error:
        error.add_note(f"What was made is in {work}.")
        raise


def _swap(work: Path, out: Path) -> None:
    if not out.exists():
        work.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        out.rename(old)
    except OSError:
        old.rmdir()
        raise
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


def _fault(out: Path, found: str, allowed: str) -> NotFree:
    return NotFree([Fault(str(out), 0, "--out", found, allowed)])
