"""assemble: the profile document from everything that a campaign measured."""

from __future__ import annotations

from datetime import UTC, datetime

from calibration.campaign import Campaign
from calibration.embedding_part import (
    embedding_notes,
    embedding_own,
    embedding_part,
    with_wave_errors,
)
from calibration.errors import Underdetermined
from calibration.fits.colocation import colocation, shared_pairs
from calibration.fits.ensemble import Own, ensemble
from calibration.fits.retrieval import retrieval
from calibration.fits.shared_draws import shared_own
from calibration.llm_part import llm_part
from calibration.machine import hardware, software
from calibration.parts import Parts
from calibration.plan import Plan
from calibration.power_part import with_power
from calibration.probes.colocation import AT_ONCE
from calibration.probes.control import GROUP as CONTROL
from calibration.probes.control import control_costs
from calibration.probes.embedding import GROUP as EMBEDDING
from calibration.probes.engine import GROUP as LLM
from calibration.probes.retrieval import GROUP as RETRIEVAL
from calibration.running import Models, Said
from calibration.target import Target
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.embedding import EmbeddingProfile
from simcore.profile.llm import LLMProfile
from simcore.profile.use import served_embed_time


def assemble(
    campaign: Campaign,
    target: Target,
    plan: Plan,
    models: Models,
    said: Said,
    name: str,
) -> ProfileDocument:
    """Fit everything and write it down. Raises `calibration.errors.Underdetermined`.

    Where time was limited, a part that the points do not determine is absent and a note says why; it raises
    only if that leaves none.
    """
    parts, notes, draws = Parts(campaign, target), list[str](), dict[str, list[Own]]()
    llm = parts.fit("llm", LLM, lambda: _llm(campaign, models, said, notes, draws))
    embedding = parts.fit("embedding", EMBEDDING, lambda: _embedding(campaign, models, said, notes, draws))
    shared = parts.fit("colocation", AT_ONCE, lambda: colocation(campaign, embedding))
    index = parts.fit("retrieval", RETRIEVAL, lambda: retrieval(campaign))
    control = parts.fit("control", CONTROL, lambda: control_costs(campaign))
    if not parts.fitted:
        raise Underdetermined(f"there is no profile yet, the points are kept: {'; '.join(parts.absent)}")
    document = ProfileDocument(
        schema_version=2,
        name=name,
        description=_description(target),
        provenance=Provenance(
            how="measured",
            source=f"simsage calibrate, {plan.name} plan, on the hardware named here",
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            notes=[*parts.absent, *campaign.shortfall(), *notes, *campaign.drift_notes(), *campaign.notes],
        ),
        hardware=hardware(campaign.device, campaign.cores),
        software=software(),
        llm=llm,
        embedding=embedding,
        colocation=shared,
        retrieval=index,
        control=control,
    )
    draws["colocation"] = _shared(campaign, document)
    document = document.model_copy(update={"ensemble": ensemble(draws)})
    return with_power(campaign, with_wave_errors(campaign, document))


def _shared(campaign: Campaign, document: ProfileDocument) -> list[Own]:
    """What draws say of what the LLM and the embedding model do to each other."""
    if document.colocation is None:
        return []
    batch = served_embed_time(document.embedding) if document.embedding else None
    return shared_own(document.colocation, shared_pairs(campaign.records(AT_ONCE)), batch)


def _llm(
    campaign: Campaign, models: Models, said: Said, notes: list[str], draws: dict[str, list[Own]]
) -> LLMProfile:
    assert models.shape
    if not said.engine:
        raise Underdetermined("the engine was not ready in time to say what it is")
    llm, words, draws["llm"] = llm_part(campaign, models.shape, said.engine)
    notes += words
    return llm


def _embedding(
    campaign: Campaign, models: Models, said: Said, notes: list[str], draws: dict[str, list[Own]]
) -> EmbeddingProfile:
    assert models.embedding
    if not said.embedding:
        raise Underdetermined("the embedding model was not ready in time to say what it is")
    embedding = embedding_part(campaign, models.embedding, said.embedding)
    notes += embedding_notes(campaign, models.embedding)
    draws["embedding"] = embedding_own(campaign)
    return embedding


def _description(target: Target) -> str:
    measured = {
        "llm": f"{target.model} on vLLM",
        "embedding": target.embedding,
        "colocation": "both on one device",
        "retrieval": "a vector index",
        "control": "control costs",
    }
    threads = f", {target.threads} threads" if target.threads > 1 else ""
    return f"{', '.join(measured[part] for part in target.parts)}; {target.device.upper()}{threads}"
