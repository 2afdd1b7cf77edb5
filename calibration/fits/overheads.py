"""fit_overheads: Overheads, and what a server adds to every step, from measured waves of requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from calibration.fits.linear import solve
from calibration.probes.frontend import periods
from simcore.profile.base import Overheads
from simcore.profile.steptime import StepTime
from simcore.step import Step

Records = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class StepExtra:
    """Seconds that a server's steps last beyond the fitted ones, each, and each for every decoding request.

    Negative where the server hides, by async scheduling, what the bare engine does between steps.
    """

    constant: float
    decode: float


def fit_overheads(records: Records) -> Overheads:
    """From waves of one request: the time before its first step, and from that step to the client's token.

    ``device_share`` is of waves of one token, whose step the backend's core computes without a pause.
    """
    single = [wave for wave in records if wave.get("width") == 1]
    short = [wave for wave in single if len(wave["steps"]) == 1]
    several = [wave for wave in single if len(wave["steps"]) > 1]
    tokens = np.array([wave["streams"][0]["prompt_tokens"] for wave in several], dtype=float)
    before = np.array([wave["steps"][0]["scheduled"] - wave["streams"][0]["sent"] for wave in several])
    (request, prompt_token), _ = solve(np.column_stack([np.ones_like(tokens), tokens]), before)
    after = median(wave["streams"][0]["first"] - wave["steps"][0]["updated"] for wave in several)
    output = max(0.0, after)
    return Overheads(
        request=float(request),
        prompt_token=float(prompt_token),
        output=output,
        device_share=device_share([beside(wave) for wave in short], float(request) + output),
    )


def window(wave: dict[str, Any]) -> float:
    """Seconds from the begin of a wave's first step to the end of its last."""
    return float(wave["steps"][-1]["updated"] - wave["steps"][0]["scheduled"])


def beside(wave: dict[str, Any]) -> float:
    """Seconds that the server's cores computed beside its steps."""
    return float(wave["cpu"]) - window(wave)


def device_share(computed: Sequence[float], each: float) -> float:
    """The part of the ``each`` seconds a request that the backend's cores computed, from 0 to 1.

    ``computed`` are their seconds beside the backend's steps, by request. Only their sum is exact: the
    kernel counts in hundredths of a second.
    """
    return min(1.0, max(0.0, sum(computed) / (len(computed) * each))) if computed and each else 1.0


def fit_step_extra(records: Records, form: StepTime) -> StepExtra:
    """How much longer decode steps last in the server than ``form``, the bare engine's, says.

    Not than the bare engine's in the same minute: beside a server, even an idle one, that is some 10% slower
    than alone, and the server beside it is not.
    """
    served = _beyond(form, (period for wave in records for period in periods(wave.get("steps", ()))))
    widths = sorted(served)
    if len(widths) < 2:
        return StepExtra(0.0, 0.0)
    extra = np.array([served[width] for width in widths])
    design = np.column_stack([np.ones(len(widths)), np.array(widths, dtype=float)])
    # Absolute, not relative error: an extra may well be nothing.
    (constant, decode), *_ = np.linalg.lstsq(design, extra)
    return StepExtra(float(constant), float(decode))


def _beyond(form: StepTime, timed: Iterable[tuple[dict[str, Any], float]]) -> dict[int, float]:
    """By batch size, the median seconds of pure decode steps beyond what the form says."""
    beyond: dict[int, list[float]] = defaultdict(list)
    for fields, seconds in timed:
        step = Step(**fields)
        if not step.prefills:
            beyond[step.decodes].append(seconds - form(step))
    return {width: median(values) for width, values in beyond.items() if len(values) >= 5}
