"""calibrate: measure real backends on this machine and write their profile."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from calibration.allowance import Allowance
from calibration.assemble import assemble
from calibration.backends.embedding_model import find_embedding_model
from calibration.backends.model_folder import find_model
from calibration.campaign import Campaign, Progress, rising
from calibration.compose.shape import model_shape
from calibration.cores import Device, choose_cores
from calibration.errors import BackendMissing
from calibration.kept import Kept
from calibration.machine import hardware, software
from calibration.measure import measure
from calibration.plan import Plan, full, quick
from calibration.power_meter import PowerMeter, gpu_in_use
from calibration.profile_file import profile_name, working, write_profile
from calibration.running import Models
from calibration.store import Store
from calibration.target import Target
from simcore.profile.document import ProfileDocument


def calibrate(
    out: Path,
    target: Target,
    *,
    plan: Plan | None = None,
    minutes: float | None = None,
    work_dir: Path | None = None,
    progress: Progress,
    kept: Kept | None = None,
) -> ProfileDocument:
    """Measure the parts of ``target`` on this machine and write their profile to ``out``.

    ``plan`` is the full one unless given. Once ``minutes`` are up, backends' starts included, the points so
    far make the profile: a part that they do not determine is absent, and notes that begin with `LEFT_OUT`
    say what is. The same plan goes on from there, with more minutes or without a limit. Servers stop when all
    is measured, but for ``kept`` ones.

    ``work_dir`` (`work_folder` of ``out`` unless given) keeps the measured points, the model folder and the
    backends' logs; a calibration that was stopped resumes from it. Raises
    `calibration.errors.CalibrationError`: no software, device or model, a backend that died or hung, or
    points that do not determine the fit. ``out`` is written at the very end, in one piece.
    """
    require(target)
    time, progress = Allowance(minutes), rising(progress)
    plan, name = plan or full(target.device), profile_name(out)
    with working(out, work_dir) as folder:
        models = Models(
            find_model(target.model, folder) if target.with_llm else None,
            model_shape(target.model) if target.with_llm else None,
            find_embedding_model(target.embedding, folder) if target.with_embedding else None,
        )
        campaign = start_campaign(target, plan, folder, progress, time)
        said = measure(campaign, target, plan, models, kept)
        progress("fitting", 0.98)
        profile = assemble(campaign, target, plan, models, said, name)
        write_profile(out, profile)
    progress("done", 1.0)
    return profile


def plan_of(target: Target, *, quickly: bool) -> Plan:
    """The quick or the full plan for the target's device."""
    return (quick if quickly else full)(target.device)


def require(target: Target) -> None:
    """Raise `BackendMissing` unless what is to be measured can be."""
    if missing := [name for name in target.packages if find_spec(name) is None]:
        extras = ",".join((target.device, "embed", "retrieval"))
        raise BackendMissing(
            f"calibration measures real backends, and {', '.join(missing)} cannot be imported: "
            f"pip install 'simsage[{extras}]'"
        )
    if target.device == "gpu" and not _has_cuda():
        raise BackendMissing(
            "--gpu measures a CUDA device, and torch sees none here; --cpu measures the processor"
        )


def _has_cuda() -> bool:
    # In a process of its own: importing torch here would start threads on the measured core.
    question = "import sys, torch; sys.exit(0 if torch.cuda.is_available() else 1)"
    return subprocess.run([sys.executable, "-c", question], capture_output=True, check=False).returncode == 0  # noqa: S603


def meter_of(device: Device) -> PowerMeter | None:
    """What samples the watts of the backends' device: of a processor nothing does."""
    return PowerMeter(gpu_in_use()) if device == "gpu" else None


def start_campaign(target: Target, plan: Plan, folder: Path, progress: Progress, time: Allowance) -> Campaign:
    """The campaign, with the points that an earlier one of the same target and plan left in ``folder``."""
    cores = choose_cores(target.device, target.threads)
    identity = {
        "plan": plan.identity,
        "model": target.model,
        "embedding": target.embedding,
        "host": platform.node(),
        "hardware": hardware(target.device, cores),
        "software": software(),
    }
    store = Store(folder / "points.jsonl", identity)
    campaign = Campaign(
        target.device,
        cores,
        store,
        folder,
        progress,
        plan.repetitions,
        plan.tries,
        time=time,
        meter=meter_of(target.device),
    )
    if not cores.apart and target.device == "cpu":
        campaign.notes.append("backend and client shared a core: overheads are too high")
    return campaign
