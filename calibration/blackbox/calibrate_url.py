"""calibrate_url: the profile of an engine of which only an OpenAI-compatible endpoint is known."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from calibration.blackbox.blocks import Block, blocks_of, idle_drift
from calibration.blackbox.design import Plan
from calibration.blackbox.design import full as full_plan
from calibration.blackbox.design import quick as quick_plan
from calibration.blackbox.endpoint import Endpoint
from calibration.blackbox.fit import fit_blocks
from calibration.blackbox.sweep import Sweep
from calibration.campaign import Progress
from calibration.drift import TOLERANCE
from calibration.fits.ensemble import ensemble
from calibration.profile_file import profile_name, working, write_profile
from calibration.store import Store
from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.llm import EngineFacts

REQUEST_LIMIT = 120.0
"""Seconds within which a whole answer must have come."""
FITTING_FROM = 0.9
"""Share of the progress that the sweep takes."""


def assumed_engine(max_model_len: int = 2048) -> EngineFacts:
    """What a black box does not tell: vLLM's defaults on most devices, and KV blocks that never run short."""
    return EngineFacts(
        block_size=16,
        num_gpu_blocks=100_000,
        max_num_batched_tokens=2048,
        max_num_seqs=256,
        max_model_len=max_model_len,
    )


def calibrate_url(
    url: str,
    model: str,
    out: Path,
    *,
    api_key: str | None = None,
    quick: bool = False,
    plan: Plan | None = None,
    engine: EngineFacts | None = None,
    timeout: float = REQUEST_LIMIT,
    work_dir: Path | None = None,
    progress: Progress,
) -> ProfileDocument:
    """Sweep ``/v1/completions`` under ``url`` and write the profile of ``model`` to ``out``.

    ``engine`` says what the endpoint cannot (`assumed_engine` otherwise; its ``max_model_len`` also limits
    what is sent), ``plan`` overrides ``quick``, ``timeout`` is the most seconds of one answer. ``work_dir``
    (by default ``out`` with the suffix ``.work``) keeps the points; a sweep that was stopped resumes from
    it. Neither file holds credentials. Raises `calibration.errors.BackendFailed` for an endpoint that is
    dead, hangs or answers against the protocol, `calibration.errors.Underdetermined` for points that do not
    determine the fit, ``ValueError`` for what is no http URL.
    """
    name, facts = profile_name(out), engine or assumed_engine()
    plan = plan or (quick_plan if quick else full_plan)(max_model_len=facts.max_model_len)
    endpoint = Endpoint(url, model, api_key, timeout)
    identity = {"plan": plan.identity, "model": model, "endpoint": endpoint.shown}
    with working(out, work_dir) as folder:
        store = Store(folder / "points.jsonl", identity)
        asyncio.run(_sweep(endpoint, plan, store, lambda what, part: progress(what, FITTING_FROM * part)))
        progress("fitting", FITTING_FROM)
        document = profile_of(blocks_of(plan, store), plan, name, model, facts, engine is None)
        write_profile(out, document)
    progress("done", 1.0)
    return document


async def _sweep(endpoint: Endpoint, plan: Plan, store: Store, progress: Progress) -> None:
    async with endpoint:
        await Sweep(endpoint, plan, store, progress).run()


def profile_of(
    blocks: list[Block], plan: Plan, name: str, model: str, engine: EngineFacts, assumed: bool
) -> ProfileDocument:
    """The profile fitted to the blocks of a finished sweep. Raises `calibration.errors.Underdetermined`."""
    found = fit_blocks(blocks, model, engine)
    low, high = found.request_interval
    notes = [
        "fitted to the mean TTFT and TPOT of each point by replaying its requests in the simulator; "
        "fit errors are those of whole points that the fit never saw, a third of all",
        f"the request overhead's 95% interval is {low * 1e3:.2f} to {high * 1e3:.2f} ms",
        *found.notes,
        *_engine_notes(engine, assumed),
    ]
    if (drift := idle_drift(blocks, plan.repetitions)) > TOLERANCE:
        notes.append(f"the idle server's TPOT differed by {drift:.0%} between repetitions of the sweep")
    return ProfileDocument(
        schema_version=2,
        name=name,
        description=f"{model} behind an OpenAI-compatible endpoint",
        provenance=Provenance(
            how="measured",
            source=f"black-box sweep ({plan.name}) of an endpoint whose address is not kept",
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            notes=notes,
        ),
        hardware={"device": "unknown"},
        software={},
        llm=found.llm,
        ensemble=ensemble({"llm": found.own}),
    )


def _engine_notes(engine: EngineFacts, assumed: bool) -> list[str]:
    facts = ", ".join(
        f"{name} {getattr(engine, name)}"
        for name in ("max_num_batched_tokens", "max_num_seqs", "num_gpu_blocks", "block_size")
    )
    whose = "assumed" if assumed else "given by the caller"
    return [f"not measured but {whose}, since a black box does not tell: {facts}"]
