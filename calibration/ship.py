"""Rebuilding the shipped profiles that are derived or estimated, from published data.

Run as ``python -m calibration.ship DATA_FOLDER DATE [SOURCE ...]``; DATA_FOLDER holds the published figures
by source, and all sources are built unless some are named.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from calibration.derive.composed import H100_TABLES
from calibration.derive.composed import derive as derive_composed
from calibration.derive.encoder import derive as derive_encoder
from calibration.derive.h100 import derive as derive_h100
from calibration.derive.h100_live import derive as derive_h100_live
from calibration.derive.llmd import derive as derive_llmd
from calibration.derive.llmservingsim import GPUS
from calibration.derive.llmservingsim import derive as derive_llmservingsim
from calibration.derive.scaled_encoder import BERT_LARGE, MINILM, scale
from calibration.profile_file import write_profile
from simcore.profile import shipped
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile

MEASURED = "cpu-qwen2-40m"
SERVER_CORES = 32
PARALLEL_EFFICIENCY = 0.6
"""What 32 cores of one socket keep of 32 times one core's speed; a usual figure, not measured here."""

Derivation = Callable[[], list[ProfileDocument]]


def derivations(data: Path, date: str) -> dict[str, Derivation]:
    """How to build the profiles of each source; ``data`` holds a folder for each."""
    table = data / "encoder_latency" / "tensorrt_bert_inference.csv"
    return {
        "inference_perf_h100": lambda: [
            derive_h100(data / "inference_perf_h100", data / "aiconfigurator" / H100_TABLES, date)
        ],
        "h100_live": lambda: [derive_h100_live(data / "h100_live", date)],
        "encoder_latency": lambda: [derive_encoder(table, date)],
        "aiconfigurator": lambda: derive_composed(data / "aiconfigurator", date),
        "llmservingsim": lambda: [derive_llmservingsim(data / "llmservingsim", gpu, date) for gpu in GPUS],
        "llmd_a100": lambda: [derive_llmd(data, date)],
        "scaled": lambda: [_scaled()],
    }


def _scaled() -> ProfileDocument:
    measured = load_profile(MEASURED, Path())
    return scale(measured, "bert-large-cpu32", MINILM, BERT_LARGE, SERVER_CORES, PARALLEL_EFFICIENCY)


def main(data: Path, date: str, sources: list[str]) -> None:
    """Write the profiles of the sources, or of all, beside the measured ones."""
    folder = Path(next(iter(shipped.__path__)))
    for source, derive in derivations(data, date).items():
        if not sources or source in sources:
            for profile in derive():
                write_profile(folder / f"{profile.name}.json", profile)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
