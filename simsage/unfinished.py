"""The folder that keeps what an unfinished run has finished, so that the same command goes on from there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calibration.lock import held
from simcore.errors import BadInput, Fault
from simsage.output import NotFree, place_of


@contextmanager
def unfinished(out: Path, key: str) -> Iterator[Path]:
    """Give the folder ``.NAME.part/KEY`` beside ``out``: what runs with the same ``key`` left is in it.

    All of ``.NAME.part`` is gone after a success, on bad input, and where nothing was finished; another end,
    such as an ``out`` that is no longer free, leaves it and notes on the exception how to go on. Raises
    BadInput while another run uses it.
    """
    place = place_of(out)
    whole = place.parent / f".{place.name}.part"
    folder = whole / key
    folder.mkdir(parents=True, exist_ok=True)
    with held(whole) as alone:
        if not alone:
            raise BadInput([Fault(str(out), 0, "--out", "a folder that another run is writing", "another")])
        try:
            yield folder
        except BaseException as error:
            wrong = isinstance(error, BadInput) and not isinstance(error, NotFree)
            kept = 0 if wrong else len(list(folder.glob("*.json")))
            if kept:
                error.add_note(f"{kept} finished replications are kept; the same command goes on from there.")
            else:
                _remove(whole)
            raise
        _remove(whole)


def _remove(whole: Path) -> None:
    # A worker whose run was killed may still write into it, which must not fail the run that is done.
    shutil.rmtree(whole, ignore_errors=True)
