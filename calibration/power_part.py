"""with_power: what a profile says of energy, from power samples beside steps and texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from calibration.campaign import LEFT_OUT, Campaign
from calibration.errors import Underdetermined
from calibration.fits.power import (
    EMBEDDING,
    LEAST,
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
from calibration.probes.frontend import GROUP as FRONTEND
from calibration.probes.power import GROUP as POWER
from calibration.probes.served import GROUP as SERVED
from simcore.profile.base import FitQuality
from simcore.profile.document import ProfileDocument
from simcore.profile.power import Power

FIELDS = ("joules_per_step", "joules_per_token", "joules_per_kv_token")
HELD_OUT_EVERY = 5
SOURCE = "nvidia-smi beside a server's steps under designed loads, beside embedding batches, and at rest"
Powers = tuple[Power | None, Power | None]
"""Of the LLM and of the embedding model, None where no work is of it."""


def with_power(campaign: Campaign, profile: ProfileDocument) -> ProfileDocument:
    """The profile with what its backends draw, as far as a meter told it; a note says what is missing."""
    if campaign.meter is None or not campaign.meter.there:
        return profile
    wanted = {"llm": profile.llm, "embedding": profile.embedding}
    try:
        powers = dict(zip(wanted, campaign_power(campaign), strict=True))
    except (Underdetermined, ValueError) as error:
        return _saying(profile, f"{LEFT_OUT}power: {error}")
    parts = {name: part.model_copy(update={"power": powers[name]}) for name, part in wanted.items() if part}
    lacking = [name for name in parts if powers[name] is None]
    found = profile.model_copy(update=parts)
    return _saying(found, f"{LEFT_OUT}power of {' and '.join(lacking)}: no sample") if lacking else found


def _saying(profile: ProfileDocument, note: str) -> ProfileDocument:
    provenance = profile.provenance
    said = provenance.model_copy(update={"notes": [*provenance.notes, note]})
    return profile.model_copy(update={"provenance": said})


def campaign_power(campaign: Campaign) -> Powers:
    """From the samples in a campaign's records. Raises as `power_parts`, and ValueError without a limit."""
    llm = [record for group in (SERVED, FRONTEND) for record in campaign.records(group)]
    told = [record for record in (*llm, *campaign.records(POWER)) if "power" in record]
    limits = [record["power"]["limit_watts"] for record in told if record["power"]["limit_watts"]]
    if not limits:
        raise ValueError("nvidia-smi said no watts or no limit of them")
    samples = [PowerSample(*row) for record in told for row in record["power"]["samples"]]
    works = [work for record in told for work in _works(record)]
    if not works:
        raise ValueError("no sample beside any work")
    return power_parts(sorted(samples, key=lambda sample: sample.at), works, max(limits), SOURCE)


def _works(record: dict[str, Any]) -> Iterator[Work]:
    """What the device did beside a record's samples: a server's steps, batches of texts, or nothing."""
    offset, steps = record["power"]["epoch"], record.get("steps", [])
    if "length" not in record:
        yield from step_works(steps, offset)
        return
    for step in steps:
        tokens = float(step["texts"] * record["length"])
        yield Work(offset + step["scheduled"], offset + step["updated"], {EMBEDDING[0]: tokens})


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
) -> Powers:
    """The parts of the LLM and of the embedding model.

    Every fifth second is held out to judge a fit on the others; the coefficients are of all. Raises
    `Underdetermined`, and ValueError where the device was never idle.
    """
    idle = idle_watts(samples, works)
    apart = spaced([sample for sample in samples if sample.watts > LEAST * idle])
    left = [sample for i, sample in enumerate(apart) if i % HELD_OUT_EVERY]
    errors = errors_of(fit_power(idle, left, works), apart[::HELD_OUT_EVERY], works)
    return parts(fit_power(idle, apart, works), limit_watts, source, quality_of(len(left), errors))


def parts(fitted: FittedPower, limit_watts: float, source: str, quality: FitQuality) -> Powers:
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
