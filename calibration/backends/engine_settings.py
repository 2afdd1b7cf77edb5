"""engine_settings: vLLM's engine arguments, the same ones in process and in a server."""

from __future__ import annotations

from pathlib import Path

from calibration.backends.embedding_model import EmbeddingModel
from calibration.cores import Device

USABLE = 0.95
"""Of a GPU's memory, less what its driver and allocators lose."""
EMBEDDING_SHARE = 0.075
"""Of 80 GB: an embedding model with its CUDA context and the activations of its largest batch."""

Settings = dict[str, object]

LIMITS: dict[Device, Settings] = {
    "cpu": {"max_model_len": 2048, "max_num_batched_tokens": 2048, "max_num_seqs": 64},
    "gpu": {"max_model_len": 8192, "max_num_batched_tokens": 8192, "max_num_seqs": 256},
}


def memory_share(engines: int, embeddings: int) -> float:
    """What each of so many vLLM engines gets of a GPU's memory beside so many embedding models.

    With two of each (an engine in hand and a server, an embedding model in process and one behind HTTP) it is
    0.4, which held on one H100.
    """
    return round((USABLE - EMBEDDING_SHARE * embeddings) / engines, 3)


SHARED = memory_share(2, 2)


def engine_settings(device: Device, model: Path, share: float = SHARED) -> Settings:
    """An engine with dummy weights that decides as vLLM does by default, but caches no prefix.

    On a GPU it takes that ``share`` of the memory. Async scheduling is off: a step that is driven by hand
    begins when the one before is over.
    """
    settings: Settings = {
        "model": str(model),
        "load_format": "dummy",
        **LIMITS[device],
        "enable_chunked_prefill": True,
        "enable_prefix_caching": False,
        "async_scheduling": False,
        "disable_log_stats": True,
    }
    if device == "gpu":
        return settings | {"gpu_memory_utilization": share}
    # 32 is the smallest block that vLLM's CPU attention takes.
    return settings | {"dtype": "float32", "enforce_eager": True, "block_size": 32}


def pooling_settings(device: Device, model: EmbeddingModel) -> Settings:
    """A server of embeddings. Encoders attend to all of a text, so vLLM neither chunks nor caches it."""
    settings: Settings = {
        "model": str(model.folder),
        "runner": "pooling",
        "dtype": model.dtype,
        "async_scheduling": False,
        "disable_log_stats": True,
    }
    if device == "gpu":
        return settings | {"gpu_memory_utilization": SHARED}
    return settings | {"enforce_eager": True}


def server_settings(device: Device, settings: Settings) -> Settings:
    """What a server has that the engine in process, run with ``settings``, has not.

    On a GPU it schedules asynchronously, vLLM's default but for pooling. On the CPU, where vLLM never does,
    the engine's process computes too: the default there is a worker process of its own, for whose answer the
    engine spins without sleeping, which on one core halves the worker's speed and on two takes the second
    from everybody. An executor that ``settings`` name stays.
    """
    if device == "cpu":
        return {"distributed_executor_backend": settings.get("distributed_executor_backend", "uni")}
    return {"async_scheduling": settings.get("runner") != "pooling"}


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
