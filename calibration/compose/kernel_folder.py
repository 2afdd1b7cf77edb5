"""KernelFolder: what a folder of LLMServingSim's kernel tables says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from calibration.compose.serving import Serving
from calibration.errors import CalibrationError
from simcore.regular_file import read_text

DTYPES = {"bf16": "bfloat16", "fp8": "fp8"}
"""By LLMServingSim's name of a variant."""
SIZES = {
    "intermediate_size": "intermediate",
    "num_attention_heads": "heads",
    "num_key_value_heads": "kv_heads",
}
"""What the profiler overrode, on one of the most ranks that it measured, and what `ModelShape` calls it."""


@dataclass(frozen=True, slots=True)
class KernelFolder:
    """A folder ``tpN``; the ``meta.yaml`` beside it tells the GPU as CUDA calls it, and vLLM's version."""

    device: str
    version: str


def holds_kernels(folder: Path) -> bool:
    """Whether the folder holds LLMServingSim's tables."""
    return (folder / "dense.csv").is_file()


def kernel_folder(folder: Path, serving: Serving) -> KernelFolder:
    """What it says of its tables.

    Raises CalibrationError unless they are of this model's sizes, split over so many ranks, in these weights.
    """
    folder = folder.resolve()
    path = folder.parent / "meta.yaml"
    meta = _meta(path)
    if folder.name != f"tp{serving.tp}":
        raise CalibrationError(f"{folder}: found the tables of {folder.name}; asked for tp{serving.tp}")
    if DTYPES.get(str(meta["variant"])) != serving.weights:
        raise CalibrationError(
            f"{path}: variant: found {meta['variant']!r}; asked for weights in {serving.weights}"
        )
    _of_this_shape(path, meta, serving)
    return KernelFolder(str(meta["gpu"]), str(meta["vllm_version"]))


def _meta(path: Path) -> Mapping[str, Any]:
    try:
        meta = YAML(typ="safe", pure=True).load(read_text(path))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise CalibrationError(f"{path}: found no YAML ({' '.join(str(error).split())})") from None
    needed = ("gpu", "vllm_version", "variant", "tp_degrees", "engine_effective")
    missing = [key for key in needed if key not in meta] if isinstance(meta, dict) else needed
    if missing:
        raise CalibrationError(f"{path}: found no {missing[0]}; needed: {', '.join(needed)}")
    found: Mapping[str, Any] = meta
    return found


def _of_this_shape(path: Path, meta: Mapping[str, Any], serving: Serving) -> None:
    try:
        ranks, overrides = max(meta["tp_degrees"]), meta["engine_effective"]["hf_overrides"]
        found = {name: overrides[name] * ranks for name in SIZES}
    except (KeyError, TypeError, ValueError):
        raise CalibrationError(f"{path}: found no tp_degrees and hf_overrides that tell the model") from None
    asked = {name: getattr(serving.shape, ours) for name, ours in SIZES.items()}
    if found != asked:
        raise CalibrationError(f"{path}: found tables of {found}; {serving.shape.name} has {asked}")
