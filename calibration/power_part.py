"""power_parts: what a profile says of energy, from power samples beside steps and texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from calibration.fits.power import (
    EMBEDDING,
    LLM,
    NAMES,
    Array,
    FittedPower,
    Work,
    fit_power,
    idle_watts,
    rates,
    spaced,
)
from calibration.power_samples import PowerSample
from simcore.profile.base import FitQuality
from simcore.profile.power import Power

FIELDS = ("joules_per_step", "joules_per_token", "joules_per_kv_token")
HELD_OUT_EVERY = 5


def step_works(steps: Sequence[dict[str, Any]], offset: float = 0.0) -> Iterator[Work]:
    """The steps of a server's log; ``offset`` takes its clock to that of the samples.

    One step follows another: each lasts from the update before it to its own.
    """
    before = 0.0
    for row in steps:
        step = row["step"]
        begun, before = max(row["scheduled"], before), row["updated"]
        amounts = (1.0, step["decodes"] + step["prefill_tokens"], step["decode_context"])
        yield Work(offset + begun, offset + before, dict(zip(LLM, amounts, strict=True)))


def power_parts(
    samples: Sequence[PowerSample], works: Sequence[Work], limit_watts: float, source: str
) -> tuple[Power | None, Power | None]:
    """The parts of the LLM and of the embedding model, None where no work is of it.

    Every fifth second is held out to judge a fit on the others; the coefficients are of all. Raises
    `Underdetermined`, and ValueError where the device was never idle.
    """
    idle, apart = idle_watts(samples, works), spaced(samples)
    left = [sample for i, sample in enumerate(apart) if i % HELD_OUT_EVERY]
    errors = errors_of(fit_power(idle, left, works), apart[::HELD_OUT_EVERY], works)
    return parts(fit_power(idle, apart, works), limit_watts, source, quality_of(len(left), errors))


def parts(
    fitted: FittedPower, limit_watts: float, source: str, quality: FitQuality
) -> tuple[Power | None, Power | None]:
    """A fit as the parts of the LLM and of the embedding model."""

    def part(names: Sequence[str]) -> Power | None:
        known = {field: name for field, name in zip(FIELDS, names, strict=True) if name in fitted.joules}
        if not known:
            return None
        found = Power(
            how="measured",
            source=source,
            idle_watts=fitted.idle_watts,
            limit_watts=limit_watts,
            intervals={field: fitted.intervals[name] for field, name in known.items()},
            fit=quality,
        )
        return found.model_copy(update={field: fitted.joules[name] for field, name in known.items()})

    return part(LLM), part(("", *EMBEDDING, ""))


def errors_of(fitted: FittedPower, samples: Sequence[PowerSample], works: Sequence[Work]) -> Array:
    """Absolute relative errors of the watts of separate seconds."""
    apart = spaced(samples)
    watts = np.array([sample.watts for sample in apart])
    off: Array = fitted.watts(rates(apart, works, NAMES), NAMES) / watts - 1
    return np.abs(off)


def quality_of(points: int, errors: Array) -> FitQuality:
    """What ``errors`` of held-out seconds say of a fit to ``points``."""
    return FitQuality(
        points=points,
        held_out=len(errors),
        median_abs_error=float(np.median(errors)),
        p90_abs_error=float(np.percentile(errors, 90)),
    )
