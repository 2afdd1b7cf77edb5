"""profile_file: a profile appears whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calibration.errors import CalibrationError
from calibration.lock import held
from calibration.whole_file import write_whole
from simcore.errors import BadInput
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile


def write_profile(out: Path, profile: ProfileDocument) -> None:
    """Write ``profile``, digest filled in, to ``out``, replacing what is there in one go."""
    write_whole(out, profile.to_json())


def profile_name(out: Path) -> str:
    """The name of a profile in the file ``out``.

    Raises CalibrationError where it makes none, and where something other than a profile is there.
    """
    name = out.stem.lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", name):
        raise CalibrationError(
            f"{out.name}: found {out.stem!r} for the profile's name; allowed: up to 100 letters, digits, "
            f"dots, dashes and underscores, a letter or digit first"
        )
    if out.exists():
        try:
            load_profile(str(out.resolve()), Path())
        except BadInput:
            raise CalibrationError(
                f"{out}: found a file that is no whole profile; allowed: a new one, or a profile to replace"
            ) from None
    return name


@contextmanager
def working(out: Path, given: Path | None) -> Iterator[Path]:
    """The folder, ``given`` or beside ``out``, that a calibration keeps what it has measured in, to itself.

    Raises CalibrationError while another uses it.
    """
    folder = given or work_folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder) as alone:
        if not alone:
            raise CalibrationError(f"{folder}: another calibration is measuring into it")
        yield folder


def work_folder(out: Path) -> Path:
    """Where a calibration keeps what it has measured on the way to ``out``."""
    return out.with_suffix(".work")
