"""The embedding part of a profile."""

from __future__ import annotations

from simcore.profile.base import Count, FitQuality, Model, NonNegative, Overheads, Range, Residuals
from simcore.profile.points import BatchRow
from simcore.profile.power import Power


class EmbedTimeParameters(Model):
    """The coefficients of `simcore.profile.embedtime.EmbedTime`, in seconds."""

    constant: NonNegative
    text: NonNegative = 0.0
    tokenise: NonNegative = 0.0
    padded: NonNegative = 0.0
    attention: NonNegative = 0.0


class EmbeddingServing(Model):
    """What an embedding server does itself, beside ``encode``: its event loop does one thing at a time.

    On a CPU it does so on the model's own cores.
    """

    token: NonNegative
    """Seconds for each token of a request: JSON, and the counting of tokens for the usage field."""
    vector: NonNegative
    """Seconds for each vector of an answer: as JSON."""
    batch: NonNegative = 0.0
    """Seconds that a batch lasts in the server beyond ``embed_time``, which was measured by itself."""


class EmbeddingProfile(Model):
    """Service times of one embedding model on one device."""

    model: str
    threads: int = 0
    embed_time: EmbedTimeParameters
    residuals: Residuals = []
    intervals: dict[str, tuple[float, float]] = {}
    overheads: Overheads = Overheads()
    serving: EmbeddingServing | None = None
    """The server as a queue; None: requests are delayed by the overheads alone, however many come."""
    max_tokens_per_text: Count = 512
    batch_range: Range
    length_range: Range
    fit: dict[str, FitQuality]
    points: list[BatchRow] = []
    """What was fitted and judged."""
    price_per_hour: NonNegative = 0.0
    power: Power | None = None
    """A step of it is a batch; its tokens are the texts' own, without padding."""
