"""Deriving the profile of an 8B model on an H100 from published load-test summaries.

The figures are inference-perf's: per stage of a constant request rate the mean and percentiles of TTFT and
request latency. No step was timed, so three parameters are found by fitting the simulator's own predictions
to stages 0 to 2: the time of a step, and of a prompt in it, beside the kernels, and the overhead outside the
engine. Stage 3 enters no fit, but the form was chosen with its error in sight, so it is no clean test.

What kernels take is composed from operator tables. All prompts being of one length, stages 0 to 2 fit as well
with any ``floor`` from 3 to 7 ms, ``token`` from 10 to 25 us and ``decode`` from 3 to 50 us: ``constant`` and
``prefill`` make up for them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calibration.derive.h100_profile import document, kernel_times
from calibration.derive.inference_perf import STATISTICS, Stage, read_stage
from calibration.derive.inference_perf_replay import predict
from calibration.fits.judge import summed_up
from calibration.fits.linear import Array
from calibration.fits.replay import Parameter, Replayed, fit_replay
from simcore.profile.document import ProfileDocument
from simcore.profile.llm import StepTimeParameters

FITTED_STAGES = (0, 1, 2)
HELD_OUT_STAGE = 3
OUTPUT_TOKENS = 64
"""What each request asked for, with ignore_eos: the tool's config.yaml."""
WEIGHTS = np.repeat([0.5, 1.0], len(STATISTICS))
"""TTFT counts half: a third of it is network and API server, whose jitter no step time explains."""
PARAMETERS = (
    Parameter("constant", 1e-3, 1e-4, 1e-2),
    Parameter("prefill", 1e-3, 1e-5, 1e-2),
    Parameter("request", 1e-2, 1e-3, 1e-1),
)
"""Seconds: per step, per prompt in it, and of API server and network per request."""


def derive(folder: Path, tables: Path, date: str) -> ProfileDocument:
    """The profile fitted to stages 0 to 2 of ``folder``, its held-out error on stage 3.

    ``tables`` holds AIConfigurator's operators on the device. Raises CalibrationError.
    """
    *fitted, held_out = (read_stage(folder, i, OUTPUT_TOKENS) for i in (*FITTED_STAGES, HELD_OUT_STAGE))
    kernels = kernel_times(tables)
    found = fit_stages(kernels, fitted)
    predicted = predict(document(kernels, found.values), held_out)
    points = len(found.errors)
    fit = {
        "stages 0-2, fitted": summed_up(found.errors / np.tile(WEIGHTS, len(fitted)), points, 0),
        "stage 3, predicted": summed_up(predicted / held_out.measured - 1, points, len(predicted)),
    }
    return document(kernels, found.values, found.intervals, fit, date)


def fit_stages(kernels: StepTimeParameters, stages: list[Stage]) -> Replayed:
    """`PARAMETERS` by the relative errors of the stages' figures. Raises Underdetermined."""

    def errors(values: dict[str, float]) -> Array:
        profile = document(kernels, values)
        return np.concatenate([WEIGHTS * (predict(profile, stage) / stage.measured - 1) for stage in stages])

    return fit_replay(PARAMETERS, errors)
