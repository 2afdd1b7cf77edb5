"""engine_settings: vLLM's engine arguments, the same ones in process and in a server."""

from __future__ import annotations

from pathlib import Path

from calibration.cores import Device

GPU_MEMORY_SHARE = 0.35
"""The engine, a server and an embedding model are on the device at once while overheads are measured."""

Settings = dict[str, object]


def engine_settings(device: Device, model: Path) -> Settings:
    """An engine with dummy weights that decides as vLLM does by default, but caches no prefix."""
    settings: Settings = {
        "model": str(model),
        "load_format": "dummy",
        "max_model_len": 2048,
        "max_num_batched_tokens": 2048,
        "max_num_seqs": 64,
        "enable_chunked_prefill": True,
        "enable_prefix_caching": False,
        "async_scheduling": False,
        "disable_log_stats": True,
    }
    if device == "gpu":
        return settings | {"gpu_memory_utilization": GPU_MEMORY_SHARE}
    # 32 is the smallest block that vLLM's CPU attention takes.
    return settings | {"dtype": "float32", "enforce_eager": True, "block_size": 32}


def command_line(settings: Settings) -> list[str]:
    """Engine arguments as the server's flags."""
    flags: list[str] = []
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            flags += [f"--{flag}", str(value)]
    return flags
