"""A calibration, and its profile tested at once on the servers that it has running."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calibration.calibrate import calibrate
from calibration.kept import Kept
from calibration.plan import Plan
from calibration.target import Target
from simcore.profile.document import ProfileDocument
from simcore.scenario.cluster import EmbeddingBackends, LLMBackends
from simcore.scenario.load import load_scenario
from simsage.bundled import find_scenario
from simsage.progress import Report
from simsage.validation import Options, validate_live
from validate.backends.possible import Backends
from validate.compare.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Trial:
    """The scenario that a new profile is tested with, and the folder for what comes of it."""

    scenario: str
    out: Path | None
    repetitions: int = 2


def calibrate_and_validate(
    out: Path, target: Target, plan: Plan, minutes: float | None, trial: Trial, report: Report
) -> tuple[ProfileDocument, Verdict]:
    """Write the profile to ``out``, then replay the scenario with its LLM and embedding backends on it.

    The scenario is read first: one with a fault costs no calibration. Raises BadInput and CalibrationError;
    once written the profile stays.
    """
    overrides = on_profile(trial.scenario, out)
    with Kept() as kept:
        profile = calibrate(out, target, plan=plan, minutes=minutes, progress=report, kept=kept)
        backends = Backends({}, kept=kept.servers)
        options = Options(backends, trial.repetitions, lambda text, share: report(text, 1.0))
        return profile, validate_live(trial.scenario, trial.out, overrides, options)


def on_profile(scenario: str, profile: Path) -> dict[str, str]:
    """The overrides that put all measured backends of the scenario on the file. Raises BadInput."""
    document = load_scenario(find_scenario(scenario))
    return {
        f"backends.{key}.profile": str(profile.resolve())
        for key, spec in document.backends.items()
        if isinstance(spec, LLMBackends | EmbeddingBackends)
    }
