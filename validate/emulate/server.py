"""The emulated server: vLLM's own, with `validate.emulate.executor` in the place of a model."""

from __future__ import annotations

import json
from pathlib import Path

from calibration.backends.engine_settings import Settings
from calibration.backends.model_folder import make_model_folder
from simcore.llm.config import SchedulerConfig
from simcore.profile.document import ProfileDocument

EXECUTOR = "validate.emulate.executor.EmulatedExecutor"
MODEL = "llama-3.1-8b"
"""The configuration that is served, of which the longest context alone matters: no weights are made."""


def served_model(work: Path) -> Path:
    """The folder in ``work`` that every emulated server serves, whatever its profile's model."""
    return make_model_folder(work / f"model-{MODEL}", MODEL)


def executor_settings(profile: ProfileDocument, config: SchedulerConfig, file: Path) -> Settings:
    """The engine arguments that plug the executor in; writes the profile to ``file`` for it."""
    file.write_text(profile.to_json(), encoding="utf-8")
    told = {"profile": str(file), "async_scheduling": config.async_scheduling}
    return {"distributed_executor_backend": EXECUTOR, "additional_config": json.dumps(told)}
