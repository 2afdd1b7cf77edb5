"""The profile derived from inference-perf's load tests against the stage that it was not fitted to.

Throughput says little here: the load is open loop and the engine keeps up, so it is that of the arrivals.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.accuracy.replays import predictive
from benchmarks.accuracy.row import DATA, Row, compared
from calibration.derive.h100 import HELD_OUT_STAGE, OUTPUT_TOKENS
from calibration.derive.inference_perf import Stage, read_stage
from calibration.derive.inference_perf_replay import figures, replay
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile
from simcore.request import Request

NAME = "inference_perf_h100"
PROFILE = "h100-llama-3.1-8b-published"
REPLAYS = 10
ASKED = {"TTFT": {}, "E2E": dict.fromkeys(("mean", "p50", "p90"), 0.05)}
STATISTICS = ("mean", "p50", "p90")
CALIBRATED = "stages 0 to 2; kernels from AIConfigurator's tables"
LOOKED = "yes: the form was chosen with the error in sight"


def rows(data: Path = DATA) -> Iterator[Row]:
    """The stage's figures, each replayed `REPLAYS` times; none once the profile is of other data."""
    profile = load_profile(PROFILE, Path())
    if "inference-perf" in profile.provenance.source:
        yield from rows_of(profile, read_stage(data / NAME, HELD_OUT_STAGE, OUTPUT_TOKENS))


def rows_of(profile: ProfileDocument, stage: Stage) -> Iterator[Row]:
    """Latencies, and requests per second."""
    replays = [replay(profile, stage, number) for number in range(REPLAYS)]
    said = np.array([figures(requests) for requests in replays]).reshape(REPLAYS, len(ASKED), len(STATISTICS))
    measured = stage.measured.reshape(len(ASKED), len(STATISTICS))
    for i, (metric, asked) in enumerate(ASKED.items()):
        ours = {name: said[:, i, j] for j, name in enumerate(STATISTICS)}
        yield _row(metric, ours, dict(zip(STATISTICS, measured[i].tolist(), strict=True)), asked)
    rates = {"mean": np.array([throughput(requests) for requests in replays])}
    yield _row("req/s", rates, {"mean": stage.throughput}, {"mean": 0.02})


def _row(
    metric: str, ours: dict[str, np.ndarray], measured: dict[str, float], asked: dict[str, float]
) -> Row:
    said = {name: float(values.mean()) for name, values in ours.items()}
    intervals = {name: predictive(values) for name, values in ours.items()}
    case = f"8B, stage {HELD_OUT_STAGE}"
    return Row(NAME, CALIBRATED, LOOKED, case, metric, compared(said, measured, intervals), asked)


def throughput(requests: list[Request]) -> float:
    """Requests per second from the first sending to the last answer, as the summaries have it."""
    return len(requests) / (max(r.finished for r in requests) - min(r.arrival for r in requests))
