"""A profile in a file remembers its last verdict, so that runs on it can say so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from calibration.profile_file import write_profile
from simcore.profile.document import LastVerdict, ProfileDocument
from validate.compare.verdict import Verdict


def remember(verdict: Verdict, profiles: Mapping[str, ProfileDocument], base: Path, date: str) -> list[str]:
    """Write the verdict into those of the profiles that are files below ``base``; their names.

    Shipped profiles stay as they are. A withheld verdict is none, and leaves an earlier one standing.
    """
    if verdict.state == "withheld" or verdict.worst_error is None:
        return []
    last = LastVerdict(
        passed=verdict.passed, date=date, scenario=verdict.scenario, worst_error=verdict.worst_error
    )
    files = [name for name in profiles if (base / name).is_file()]
    for name in files:
        write_profile(base / name, profiles[name].model_copy(update={"validation": last}))
    return files
