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
from calibration.fits.colocation import colocation
from calibration.fits.ensemble import Own, ensemble
from calibration.fits.retrieval import retrieval
from calibration.llm_part import llm_own, llm_part
from calibration.machine import hardware, software
from calibration.measure import Models, Said
from calibration.plan import Plan
from calibration.probes.control import control_costs
from calibration.target import Target
from simcore.profile.document import ProfileDocument, Provenance


def assemble(
    campaign: Campaign,
    target: Target,
    plan: Plan,
    models: Models,
    said: Said,
    name: str,
) -> ProfileDocument:
    """Fit everything and write it down. Raises `calibration.errors.Underdetermined`."""
    llm, embedding, notes, draws = None, None, list[str](), dict[str, list[Own]]()
    if models.shape and "llm" in target.parts:
        llm, notes = llm_part(campaign, models.shape, said.engine)
        draws["llm"] = llm_own(campaign, said.engine)
    if models.embedding and "embedding" in target.parts:
        embedding = embedding_part(campaign, models.embedding, said.embedding)
        notes += embedding_notes(campaign, models.embedding)
        draws["embedding"] = embedding_own(campaign)
    document = ProfileDocument(
        schema_version=2,
        name=name,
        description=_description(target),
        provenance=Provenance(
            how="measured",
            source=f"simsage calibrate, {plan.name} plan, on the hardware named here",
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            notes=[*notes, *campaign.drift_notes(), *campaign.notes],
        ),
        hardware=hardware(campaign.device, campaign.cores),
        software=software(),
        llm=llm,
        embedding=embedding,
        colocation=colocation(campaign, embedding) if "colocation" in target.parts else None,
        retrieval=retrieval(campaign) if "retrieval" in target.parts else None,
        control=control_costs(campaign) if "control" in target.parts else None,
        ensemble=ensemble(draws),
    )
    return with_wave_errors(campaign, document)


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
