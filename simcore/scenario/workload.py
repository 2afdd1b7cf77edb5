"""Streams: where load comes from, as the document says it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simcore.scenario.base import (
    Amount,
    Count,
    Key,
    Name,
    NonNegative,
    Part,
    Positive,
    PositiveAmount,
    Share,
)

MOST_TEXTS = 2048
"""No embedding request has more texts, as OpenAI's API takes no more."""
Cv = Annotated[float, Field(ge=0.01, le=100)]
"""A coefficient of variation: standard deviation over mean."""


class Constant(Part):
    """Always the same value."""

    distribution: Literal["constant"]
    value: Amount


class Uniform(Part):
    """Uniform between ``low`` and ``high``; where the quantity is a count both are rounded and included."""

    distribution: Literal["uniform"]
    low: Amount
    high: Amount


class Exponential(Part):
    """Exponential with the given mean."""

    distribution: Literal["exponential"]
    mean: PositiveAmount


class Lognormal(Part):
    """Log-normal with the given median and sigma of the logarithm; draws above ``high`` become ``high``."""

    distribution: Literal["lognormal"]
    median: PositiveAmount
    sigma: Annotated[float, Field(ge=0, le=20)]
    high: PositiveAmount | None = None


class Gamma(Part):
    """Gamma with the given mean and coefficient of variation."""

    distribution: Literal["gamma"]
    mean: PositiveAmount
    cv: Cv


class Empirical(Part):
    """Values drawn with the given weights (equal ones if absent)."""

    distribution: Literal["empirical"]
    values: Annotated[list[Amount], Field(min_length=1)]
    weights: list[Positive] | None = None


Distribution = Annotated[
    Constant | Uniform | Exponential | Lognormal | Gamma | Empirical,
    Field(discriminator="distribution"),
]


class Poisson(Part):
    """Open loop, exponential gaps; ``rate`` in requests per second."""

    process: Literal["poisson"]
    rate: Positive


class Steady(Part):
    """Open loop, equal gaps of 1/rate."""

    process: Literal["constant"]
    rate: Positive


class GammaArrivals(Part):
    """Open loop, gamma gaps: ``cv`` above 1 is burstier than Poisson."""

    process: Literal["gamma"]
    rate: Positive
    cv: Cv


class WeibullArrivals(Part):
    """Open loop, Weibull gaps: ``shape`` below 1 is burstier than Poisson."""

    process: Literal["weibull"]
    rate: Positive
    shape: Annotated[float, Field(ge=0.1, le=100)]


class Bursts(Part):
    """Open loop, Poisson at ``rate``, and at ``burst_rate`` for ``burst_s`` out of every ``period_s``.

    A burst stands at the end of its period. SAGE's pattern is 10/s with 200/s for 5 s every 30 s.
    """

    process: Literal["bursts"]
    rate: NonNegative
    burst_rate: Positive
    burst_s: Positive
    period_s: Positive


class Ramp(Part):
    """Open loop, Poisson whose rate goes linearly from ``from_rate`` to ``to_rate`` over the duration."""

    process: Literal["ramp"]
    from_rate: NonNegative
    to_rate: NonNegative


class ClosedLoop(Part):
    """``users`` who each wait for the answer, think, and ask again."""

    process: Literal["closed_loop"]
    users: Count
    think_time_s: Distribution


class Trace(Part):
    """Replay of a recorded trace: times and lengths come from the file.

    ``format`` tells the columns; ``speed`` above 1 replays faster; at most ``limit`` requests are taken.
    """

    process: Literal["trace"]
    format: Literal["azure", "mooncake", "burstgpt", "sharegpt"]
    path: Annotated[str, Field(min_length=1)]
    speed: Positive = 1.0
    limit: Count | None = None
    rate: Positive | None = None
    """Poisson rate for formats without timestamps (ShareGPT)."""


Arrivals = Annotated[
    Poisson | Steady | GammaArrivals | WeibullArrivals | Bursts | Ramp | ClosedLoop | Trace,
    Field(discriminator="process"),
]


class Prefix(Part):
    """Shared prompt prefixes: each request starts with the prefix of one of ``groups`` groups.

    The prefix is part of the prompt: ``prompt_tokens`` counts its ``tokens`` too, and a shorter prompt
    has as much of the prefix as fits.
    """

    groups: Count
    tokens: Count


class Slo(Part):
    """What counts as good: every limit given has to be met. Milliseconds."""

    ttft_ms: Positive | None = None
    tpot_ms: Positive | None = None
    e2el_ms: Positive | None = None


class Stage(Part):
    """One stage of a pipeline. ``after`` names the stages it waits for; none given: the stage before it."""

    kind: Literal["chat", "generate", "embedding", "retrieval"]
    after: list[Key] | None = None
    prompt_tokens: Distribution | None = None
    output_tokens: Distribution | None = None
    texts: Distribution | None = None
    text_tokens: Distribution | None = None
    prefix: Prefix | None = None


class StreamSpec(Part):
    """One source of load.

    LLM kinds need ``prompt_tokens`` and ``output_tokens``, embeddings ``text_tokens`` (and ``texts``,
    one text a request if absent), pipelines ``stages``. A trace brings the lengths of LLM kinds; of
    other kinds it gives the times only.
    """

    kind: Literal["chat", "generate", "embedding", "retrieval", "pipeline"]
    arrivals: Arrivals
    enabled: bool = True
    tenant: Name = "default"
    priority: Literal["CRITICAL", "HIGH", "NORMAL", "LOW", "BACKGROUND"] = "NORMAL"
    high_priority_share: Share | None = None
    """This share of the requests, drawn at random, gets priority HIGH instead."""
    prompt_tokens: Distribution | None = None
    output_tokens: Distribution | None = None
    texts: Distribution | None = None
    text_tokens: Distribution | None = None
    prefix: Prefix | None = None
    stages: dict[Key, Stage] | None = None
    slo: Slo = Slo()
    deadline_ms: Positive | None = None
    """What deadline-driven policies see; the SLO's e2el_ms if absent."""
    timeout_ms: Positive | None = None
    """The client gives up after that long: a pipeline's on the whole of it."""
    cost_budget: Positive | None = None
