"""assemble: the profile document from everything that a campaign measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from calibration.backends.model_folder import SIZES
from calibration.campaign import Campaign
from calibration.fits.embedtime import fit_embed_time
from calibration.fits.judge import judge_batches, judge_steps, residual_quantiles
from calibration.fits.overheads import StepExtra, fit_overheads, fit_step_extra
from calibration.fits.steptime import COEFFICIENTS, fit_step_time
from calibration.machine import hardware, software
from calibration.probes.colocation import colocation
from calibration.probes.embedding import MODEL
from calibration.probes.frontend import GROUP as FRONTEND
from calibration.probes.samples import embed_points, step_points
from simcore.profile.correction import Correction
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.embedding import EmbeddingProfile, EmbedTimeParameters
from simcore.profile.llm import EngineFacts, LLMProfile, StepCorrection, StepTimeParameters, Table
from simcore.profile.steptime import StepTime


@dataclass(frozen=True, slots=True)
class Said:
    """What the backends said of themselves."""

    engine: dict[str, Any]
    embedding: dict[str, Any]


def assemble(campaign: Campaign, name: str, model_size: str, said: Said) -> ProfileDocument:
    """Fit everything and write it down. Raises `calibration.errors.Underdetermined`."""
    llm, extra = _llm(campaign, model_size, said)
    return ProfileDocument(
        schema_version=2,
        name=name,
        description=f"a {model_size} Qwen2 model on vLLM and {MODEL}, on one {campaign.device.upper()}",
        provenance=Provenance(
            how="measured",
            source="simsage calibrate on the hardware named here, with dummy weights for the LLM",
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            notes=[_extra_note(extra), *campaign.drift_notes(), *campaign.notes],
        ),
        hardware=hardware(campaign.device, campaign.cores),
        software=software(),
        llm=llm,
        embedding=_embedding(campaign, said),
        colocation=colocation(campaign),
    )


def _llm(campaign: Campaign, model_size: str, said: Said) -> tuple[LLMProfile, StepExtra]:
    points = step_points(campaign.records("llm"), campaign.device)
    fitted = [point for point in points if not point.held_out]
    engine = EngineFacts.model_validate(said.engine["facts"])
    fit = fit_step_time(fitted, tuple(engine.cudagraph_capture_sizes))
    served = campaign.records(FRONTEND)
    extra = fit_step_extra(served, fit.step_time)
    profile = LLMProfile(
        model=f"qwen2-{model_size}-dummy",
        parameters_count=SIZES[model_size].parameters,
        step_time=_in_server(fit.step_time, extra),
        correction=_tables(fit.step_time),
        residuals=residual_quantiles((fit.step_time(p.step), p.samples) for p in points),
        intervals=_shifted(fit.intervals, extra),
        engine=engine,
        overheads=fit_overheads(served),
        batch_range=_ends([p.step.batch for p in fitted]),
        context_range=_ends([p.step.decode_context / p.step.decodes for p in fitted if p.step.decodes]),
        chunk_range=_ends([p.step.prefill_tokens for p in fitted if p.step.prefills]),
        fit=judge_steps(fit.step_time, points),
    )
    return profile, extra


def _in_server(form: StepTime, extra: StepExtra) -> StepTimeParameters:
    served = replace(
        form,
        constant=max(0.0, form.constant + extra.constant),
        decode=max(0.0, form.decode + extra.decode),
    )
    return StepTimeParameters(**{name: getattr(served, name) for name in COEFFICIENTS})


def _tables(form: StepTime) -> StepCorrection:
    return StepCorrection(
        decode=_table(form.decode_correction),
        prefill=_table(form.prefill_correction),
        mixed=_table(form.mixed_correction),
    )


def _table(correction: Correction) -> Table:
    return Table(at=list(correction.at), factor=list(correction.factor))


def _shifted(bounds: dict[str, tuple[float, float]], extra: StepExtra) -> dict[str, tuple[float, float]]:
    added = asdict(extra)
    return {
        name: (max(0.0, low + added.get(name, 0.0)), max(0.0, high + added.get(name, 0.0)))
        for name, (low, high) in bounds.items()
    }


def _extra_note(extra: StepExtra) -> str:
    return (
        f"constant and decode include {extra.constant * 1e3:.3f} ms a step and {extra.decode * 1e3:.4f} ms a "
        f"decoding request that a server adds to the bare engine; fit errors are the bare engine's"
    )


def _embedding(campaign: Campaign, said: Said) -> EmbeddingProfile:
    points = embed_points(campaign.records("embedding"), campaign.device)
    fitted = [point for point in points if not point.held_out]
    fit = fit_embed_time(fitted)
    return EmbeddingProfile(
        model=MODEL,
        threads=said.embedding["threads"],
        embed_time=EmbedTimeParameters(**asdict(fit.embed_time)),
        residuals=residual_quantiles((fit.embed_time(p.texts), p.samples) for p in points),
        intervals=fit.intervals,
        max_tokens_per_text=said.embedding["max_tokens"],
        batch_range=_ends([len(p.texts) for p in fitted]),
        length_range=_ends([max(p.texts) for p in fitted]),
        fit=judge_batches(fit.embed_time, points),
    )


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return float(min(values)), float(max(values))
