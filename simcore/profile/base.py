"""What all parts of a profile are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
AtLeastOne = Annotated[float, Field(ge=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Range = tuple[NonNegative, NonNegative]
How = Literal["measured", "derived", "estimated"]


class Model(BaseModel):
    """A part of the document; unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", strict=True)


class FitQuality(Model):
    """Relative errors on points that the fit never saw."""

    points: int
    held_out: int
    median_abs_error: NonNegative
    p90_abs_error: NonNegative


class Overheads(Model):
    """Seconds outside the backend's own loop: they add latency and take no capacity.

    But on the CPU ``device_share`` of them does: there the server computes on the backend's own cores.
    """

    request: NonNegative = 0.0
    """Server and tokeniser, per request, on the way in."""
    prompt_token: NonNegative = 0.0
    """The same, per prompt token."""
    output: NonNegative = 0.0
    """From the backend's result to the client's: detokeniser and streaming, or sending a vector."""
    device_share: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    """The part of ``request`` and ``output`` that a backend on the CPU computes on its own cores."""


Residuals = list[Positive]
"""Evenly spaced quantiles of measured over fitted time, the first and last being the extremes.

Empty: every piece of work takes its fitted time.
"""
