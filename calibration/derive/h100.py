"""Deriving the profile of an 8B model on an H100 from published load-test summaries.

The figures are inference-perf's: per stage of a constant request rate the mean and percentiles of TTFT and
request latency. No step was timed, so three parameters are found by fitting the simulator's own predictions
to stages 0 to 2: the time of a step, and of a prompt in it, beside the kernels, and the overhead outside the
engine. Stage 3 enters no fit, but the form was chosen with its error in sight, so it is no clean test.

What kernels take is composed from operator tables. All prompts being of one length, stages 0 to 2 fit as well
with any ``floor`` from 3 to 7 ms, ``token`` from 10 to 25 us and ``decode`` from 3 to 50 us: ``constant`` and
``prefill`` make up for them. So the profile has an ensemble of such forms.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
from scipy.stats import f

from calibration.derive.h100_profile import document, kernel_times
from calibration.derive.inference_perf import STATISTICS, Stage, read_stage
from calibration.derive.inference_perf_replay import predict
from calibration.fits.ensemble import Own, ensemble
from calibration.fits.judge import summed_up
from calibration.fits.linear import Array
from calibration.fits.replay import Parameter, Replayed, fit_replay
from simcore.profile.document import ProfileDocument
from simcore.profile.llm import StepTimeParameters

Form = tuple[float, float, float]

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
OTHERS = ("floor", "token", "decode")
FORMS = tuple(product((3e-3, 5e-3, 7e-3), (1e-5, 1.75e-5, 2.5e-5), (3e-6, 2.5e-5, 5e-5)))
"""Seconds, by `OTHERS`, instead of what is composed."""
CONFIDENCE = 0.95


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
    profile = document(kernels, found.values, found.intervals, fit, date)
    return profile.model_copy(update={"ensemble": ensemble({"llm": other_forms(kernels, fitted)})})


def other_forms(kernels: StepTimeParameters, stages: list[Stage]) -> list[Own]:
    """What those of `FORMS` say that fit the stages as well as the best of them does.

    As well: within the joint 95% region of the three times, by the ratio of sums of squares (Bates and Watts,
    Nonlinear Regression Analysis and Its Applications, 1988, 1.3).
    """
    found = {form: fit_stages(_moved(kernels, form), stages) for form in FORMS}
    return accepted({form: (one.values, float(one.errors @ one.errors)) for form, one in found.items()})


def accepted(found: Mapping[Form, tuple[dict[str, float], float]]) -> list[Own]:
    """The members, from the values and the sum of squares of each form."""
    free = len(FITTED_STAGES) * len(WEIGHTS) - len(PARAMETERS) - len(OTHERS)
    wider = len(OTHERS) / free * float(f.ppf(CONFIDENCE, len(OTHERS), free))
    limit = (1 + wider) * min(loss for _, loss in found.values())
    return [_own(form, values) for form, (values, loss) in found.items() if loss <= limit]


def _own(form: Form, values: Mapping[str, float]) -> Own:
    steps = {name: values[name] for name in ("constant", "prefill")} | dict(zip(OTHERS, form, strict=True))
    return {"step_time": dict(steps), "overheads": {"request": values["request"]}}


def _moved(kernels: StepTimeParameters, form: Form) -> StepTimeParameters:
    return kernels.model_copy(update=dict(zip(OTHERS, form, strict=True)))


def fit_stages(kernels: StepTimeParameters, stages: list[Stage]) -> Replayed:
    """`PARAMETERS` by the relative errors of the stages' figures. Raises Underdetermined."""

    def errors(values: dict[str, float]) -> Array:
        profile = document(kernels, values)
        return np.concatenate([WEIGHTS * (predict(profile, stage) / stage.measured - 1) for stage in stages])

    return fit_replay(PARAMETERS, errors)
