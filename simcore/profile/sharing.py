"""The co-location part of a profile: what an LLM and an embedding model do to each other on one device."""

from __future__ import annotations

from pydantic import Field

from simcore.profile.base import AtLeastOne, FitQuality, How, Model, NonNegative, Positive


class SharedLoad(Model):
    """One measured pair of loads, uncoordinated: what each side did and how much slower it was than alone."""

    decodes: int = Field(ge=0)
    """Requests that the LLM decoded."""
    texts: int = Field(ge=0)
    """Texts in each embedding batch, of ``length`` tokens each."""
    length: int = Field(ge=0)
    duty: Positive
    """Share of the time that the embedding side would be at work if it were alone."""
    llm_slowdown: Positive
    embedding_slowdown: Positive


class Slowing(Model):
    """How many times slower a side runs while both work: ``least + growth * compute_share``.

    ``compute_share``, from 0 to 1, is of the embedding batch under way: the part of its time that grows with
    what is in it, ``1 - constant / T`` by its `EmbedTime`. On a GPU the rest is the host launching kernels,
    between which the device is free.
    """

    least: AtLeastOne
    growth: NonNegative = 0.0


class SharingLaw(Model):
    """The slowing of either side."""

    llm: Slowing
    embedding: Slowing


class Colocation(Model):
    """How much slower each side gets while both work, and what taking turns costs."""

    how: How
    llm_slowdown: AtLeastOne
    embedding_slowdown: AtLeastOne
    law: SharingLaw | None = None
    """Instead of the two factors, where loads of different compute shares were measured."""
    turn: NonNegative | None = None
    """Seconds that an embedding batch between two LLM steps costs beyond its own time; None: not measured."""
    loads: list[SharedLoad] = []
    """The grid of loads that the factors stand for."""
    fit: dict[str, FitQuality] = {}
    """By service: errors of the rates that the law of the other loads predicts; without a law, of those that
    the factors predict at duties under 1."""
    notes: list[str] = []

    @property
    def least(self) -> tuple[float, float]:
        """Slowdowns of LLM and embedding model beside each other where the compute share is nothing."""
        if self.law is None:
            return self.llm_slowdown, self.embedding_slowdown
        return self.law.llm.least, self.law.embedding.least
