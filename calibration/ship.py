"""Rebuilding the shipped profiles that are derived or estimated, from published data.

Run as ``python -m calibration.ship DATA_FOLDER DATE``; DATA_FOLDER holds the published figures by source.
"""

from __future__ import annotations

import sys
from pathlib import Path

from calibration.derive.encoder import derive as derive_encoder
from calibration.derive.h100 import derive as derive_h100
from calibration.derive.scaled_encoder import BERT_LARGE, MINILM, scale
from simcore.profile import shipped
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile

MEASURED = "cpu-qwen2-40m"
SERVER_CORES = 32
PARALLEL_EFFICIENCY = 0.6
"""What 32 cores of one socket keep of 32 times one core's speed; a usual figure, not measured here."""


def main(data: Path, date: str) -> None:
    """Write every derived and estimated profile beside the measured one."""
    measured = load_profile(MEASURED, Path())
    for profile in (
        derive_h100(data / "inference_perf_h100", date),
        derive_encoder(data / "encoder_latency" / "tensorrt_bert_inference.csv", date),
        scale(measured, "bert-large-cpu32", MINILM, BERT_LARGE, SERVER_CORES, PARALLEL_EFFICIENCY),
    ):
        _write(profile)


def _write(profile: ProfileDocument) -> None:
    folder = Path(next(iter(shipped.__path__)))
    (folder / f"{profile.name}.json").write_text(profile.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
