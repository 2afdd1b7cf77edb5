"""profile_file: a profile appears whole or not at all."""

from __future__ import annotations

import re
from pathlib import Path

from calibration.errors import CalibrationError
from calibration.whole_file import write_whole
from simcore.profile.document import ProfileDocument


def write_profile(out: Path, profile: ProfileDocument) -> None:
    """Write ``profile``, digest filled in, to ``out``, replacing what is there in one go."""
    write_whole(out, profile.to_json())


def profile_name(out: Path) -> str:
    """The name of a profile in the file ``out``. Raises CalibrationError where it makes none."""
    name = out.stem.lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", name):
        raise CalibrationError(
            f"{out.name}: found {out.stem!r} for the profile's name; allowed: up to 100 letters, digits, "
            f"dots, dashes and underscores, a letter or digit first"
        )
    return name


def work_folder(out: Path) -> Path:
    """Where a calibration keeps what it has measured on the way to ``out``."""
    return out.with_suffix(".work")
