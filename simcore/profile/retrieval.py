"""The retrieval part of a profile: a vector index."""

from __future__ import annotations

from simcore.profile.base import AtLeastOne, Count, FitQuality, Model, NonNegative, Range, Residuals


class SearchTimeParameters(Model):
    """Seconds of one search by one thread alone: ``constant + per_k * k``."""

    constant: NonNegative
    per_k: NonNegative = 0.0


class RetrievalProfile(Model):
    """Service times of one vector index."""

    index: str
    """Its kind, in the library's own notation."""
    vectors: Count
    dimension: Count
    search_time: SearchTimeParameters
    concurrency: list[tuple[Count, AtLeastOne]]
    """How many times longer a search takes with that many under way at once, by rising number."""
    residuals: Residuals = []
    k_range: Range
    fit: dict[str, FitQuality]
