"""shared_own: slowdowns on one device that the measured loads allow as well as the fitted ones."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from calibration.fits.ensemble import Own
from calibration.fits.form_error import FormError, form_error
from calibration.fits.shared_pair import Pair
from calibration.fits.sharing_law import law_errors
from simcore.profile.embedtime import EmbedTime
from simcore.profile.sharing import Colocation, SharingLaw, Slowing

LLM, EMBEDDING = 2, 3
"""Seeds of the two sides' factors; 0 and 1 are the engine's and the API server's."""


def shared_own(shared: Colocation, pairs: Sequence[Pair], embed_time: EmbedTime | None) -> list[Own]:
    """What members say of the co-location: either side's slowdown off as far as it was of a load left out.

    Of a law, by the others' law; without one, how far the loads' slowdowns are from the two factors.
    """
    if (law := shared.law) is not None and embed_time is not None:
        errors = law_errors(pairs, embed_time)
        return [] if errors is None else [_of_law(law, *each) for each in _factors(*errors)]
    full = [pair for pair in pairs if pair.duty == 1.0]
    llm = form_error([log(pair.llm_slowdown / shared.llm_slowdown) for pair in full])
    embedding = form_error([log(pair.embedding_slowdown / shared.embedding_slowdown) for pair in full])
    return [
        {
            "llm_slowdown": max(1.0, shared.llm_slowdown * one),
            "embedding_slowdown": max(1.0, shared.embedding_slowdown * other),
        }
        for one, other in _factors(llm, embedding)
    ]


def _factors(llm: FormError, embedding: FormError) -> list[tuple[float, float]]:
    return list(zip(llm.factors(LLM), embedding.factors(EMBEDDING), strict=True))


def _of_law(law: SharingLaw, llm: float, embedding: float) -> Own:
    sides = {"llm": _slowed(law.llm, llm), "embedding": _slowed(law.embedding, embedding)}
    return {"law": SharingLaw(**sides).model_dump()}


def _slowed(side: Slowing, factor: float) -> Slowing:
    return Slowing(least=max(1.0, side.least * factor), growth=side.growth * factor)
