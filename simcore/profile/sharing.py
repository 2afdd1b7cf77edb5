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


class Colocation(Model):
    """How much slower each side gets while both work, and what taking turns costs."""

    how: How
    llm_slowdown: AtLeastOne
    embedding_slowdown: AtLeastOne
    turn: NonNegative | None = None
    """Seconds that an embedding batch between two LLM steps costs beyond its own time; None: not measured."""
    loads: list[SharedLoad] = []
    """The grid of loads that the factors stand for."""
    fit: dict[str, FitQuality] = {}
    """Of the factors, by service: errors of the rates that they predict at duties under 1."""
    notes: list[str] = []
