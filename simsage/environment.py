"""environment.json: what a reader needs to run the same again."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from simcore.llm import scheduler
from simcore.profile.document import ProfileDocument, RecordedReplays

PACKAGES = (
    *("simsage", "simpy", "numpy", "scipy", "pandas", "pyarrow", "matplotlib", "pydantic", "ruamel.yaml"),
    *("joblib", "click", "rich", "jinja2"),
)
NEVER_VALIDATED = "never validated"


def environment_of(
    profiles: Mapping[str, ProfileDocument], seed: int, replications: int, wall: float, simulated: float
) -> dict[str, Any]:
    """The file's content. ``wall`` and ``simulated`` are seconds over all replications.

    ``digest`` covers what may change results (interpreter, packages, profiles), not when or how fast.
    """
    fixed = {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": packages(),
        "profiles": {name: describe_profile(profile) for name, profile in sorted(profiles.items())},
    }
    canonical = json.dumps(fixed, sort_keys=True).encode()
    return fixed | {
        "digest": "sha256:" + hashlib.sha256(canonical).hexdigest(),
        "cpu": {"model": cpu_model(), "cores": os.cpu_count()},
        "event_loop": event_loop(),
        "seeds": {"scenario": seed, "replications": replications},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "simulation_wall_s": round(wall, 3),
        "simulated_s": round(simulated, 3),
        "simulated_s_per_wall_s": round(simulated / wall, 1) if wall > 0 else None,
    }


def event_loop() -> Literal["compiled", "interpreted"]:
    """Which build of the event loop this process runs; both give the same results."""
    return "interpreted" if scheduler.__file__.endswith(".py") else "compiled"


def packages() -> dict[str, str | None]:
    """The versions of the packages that results pass through; None for one that is not installed."""
    return {name: _version(name) for name in PACKAGES}


def describe_profile(profile: ProfileDocument) -> dict[str, Any]:
    """A profile's identity, how it was obtained and its last verdict."""
    return {
        "name": profile.name,
        "digest": profile.digest or profile.computed_digest(),
        "provenance": profile.provenance.model_dump(mode="json"),
        "hardware": profile.hardware,
        "software": profile.software,
        "ensemble": len(profile.ensemble),
        "validated": validation_of(profile),
    }


def validation_of(profile: ProfileDocument) -> str:
    """The profile's last verdict as a sentence for people."""
    last = profile.validation
    if last is None:
        return NEVER_VALIDATED
    verb = "passed" if last.passed else "FAILED"
    median = "" if last.median_error is None else f"median error {last.median_error:.1%}, "
    errors = f"{median}worst error {last.worst_error:.1%}"
    if last.recording is None:
        return f"{verb} on {last.date} with {last.scenario}, {errors}"
    return f"validated by recording {_recording(last.recording)}: {verb} on {last.date}, {errors}"


def _recording(judged: RecordedReplays) -> str:
    """Which one, of what, and whether the profile had seen it."""
    seen = f"{judged.fitted} of {judged.replays} replays are in its fit" if judged.fitted else "held out"
    return f"{judged.name} of {judged.made} ({', '.join(judged.variants)}; {seen})"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def cpu_model() -> str:
    """The processor by its maker's name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
