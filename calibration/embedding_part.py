"""embedding_part: the embedding part of a profile from everything that a campaign measured of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from calibration.backends.embedding_model import EmbeddingModel
from calibration.campaign import Campaign
from calibration.fits.embedding_notes import server_notes
from calibration.fits.embedding_overheads import fit_embedding_overheads, served_batches
from calibration.fits.embedding_serving import fit_embedding_serving
from calibration.fits.embedding_waves import judge_queue, judge_waves
from calibration.fits.embedtime import EmbedFit, embed_draws, fit_embed_time
from calibration.fits.ensemble import Own
from calibration.fits.fitted_profile import ends, rounded
from calibration.fits.judge import judge_batches, residual_quantiles
from calibration.probes.embedding import GROUP
from calibration.probes.embedding_server import GROUP as SERVER
from calibration.probes.samples import EmbedPoint, embed_points
from simcore.profile.base import Overheads
from simcore.profile.document import ProfileDocument
from simcore.profile.embedding import EmbeddingProfile, EmbeddingServing, EmbedTimeParameters
from simcore.profile.points import BatchRow


def embedding_part(campaign: Campaign, model: EmbeddingModel, said: dict[str, Any]) -> EmbeddingProfile:
    """``said`` is the worker's own answer. Without a measured server the overheads are nothing.

    Raises `calibration.errors.Underdetermined`.
    """
    points, fit = _fit(campaign)
    fitted = [point for point in points if not point.held_out]
    overheads, serving = _served(campaign, fit)
    return EmbeddingProfile(
        model=model.name,
        threads=said["threads"],
        embed_time=EmbedTimeParameters(**asdict(fit.embed_time)),
        residuals=residual_quantiles((fit.embed_time(p.texts), p.samples) for p in points),
        intervals=fit.intervals,
        overheads=overheads,
        serving=serving,
        max_tokens_per_text=said["max_tokens"],
        batch_range=ends(len(p.texts) for p in fitted),
        length_range=ends(max(p.texts) for p in fitted),
        fit=judge_batches(fit.embed_time, points),
        points=[BatchRow(list(p.texts), rounded(p.seconds), p.held_out) for p in points],
    )


def embedding_notes(campaign: Campaign, model: EmbeddingModel) -> list[str]:
    """What the profile must say in words."""
    notes = [f"{model.name} computed in {model.dtype}"]
    if model.name.endswith("-shape"):
        notes.append(
            f"{model.name} has random weights and a tokenizer of made-up words; only shapes are real"
        )
    if campaign.device == "cpu" and not campaign.cores.apart:
        notes.append("embedding: no core was left for the measuring side, which shared one with the model")
    if records := campaign.records(SERVER):
        batches = served_batches(records, campaign.device)
        notes += server_notes(batches, records, _overheads(campaign), _fit(campaign)[1].embed_time)
    return notes


def with_wave_errors(campaign: Campaign, profile: ProfileDocument) -> ProfileDocument:
    """The profile with how near its server comes to requests at once, which nothing was fitted to.

    ``waves`` is by the profile's own batches, ``queue`` with batches that last as long as they did.
    """
    part, records = profile.embedding, campaign.records(SERVER)
    if part is None or part.serving is None:
        return profile
    judged = {"waves": judge_waves(records, profile), "queue": judge_queue(records, profile)}
    fit = part.fit | {name: quality for name, quality in judged.items() if quality}
    return profile.model_copy(update={"embedding": part.model_copy(update={"fit": fit})})


def embedding_own(campaign: Campaign) -> list[Own]:
    """What draws from the fits that the points allow say of this part."""
    points = embed_points(campaign.records(GROUP), campaign.device)
    draws = embed_draws([point for point in points if not point.held_out])
    return [{"embed_time": EmbedTimeParameters(**asdict(draw)).model_dump()} for draw in draws]


def _fit(campaign: Campaign) -> tuple[list[EmbedPoint], EmbedFit]:
    points = embed_points(campaign.records(GROUP), campaign.device)
    return points, fit_embed_time([point for point in points if not point.held_out])


def _served(campaign: Campaign, fit: EmbedFit) -> tuple[Overheads, EmbeddingServing | None]:
    """The overheads, and the server's own work where requests of several texts tell it apart."""
    overheads = _overheads(campaign)
    batches = served_batches(campaign.records(SERVER), campaign.device)
    return fit_embedding_serving(batches, overheads, fit.embed_time) or (overheads, None)


def _overheads(campaign: Campaign) -> Overheads:
    records = campaign.records(SERVER)
    return fit_embedding_overheads(served_batches(records, campaign.device)) if records else Overheads()
