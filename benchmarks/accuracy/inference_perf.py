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
from calibration.fits.linear import Array
from simcore.members import draws_of
from simcore.profile.document import ProfileDocument
from simcore.profile.ensemble import member_profiles
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
    """The stage's figures, replayed `REPLAYS` times, and once on each draw from the profile's ensemble.

    None once the profile is of other data.
    """
    profile = load_profile(PROFILE, Path())
    if "inference-perf" in profile.provenance.source:
        yield from rows_of(profile, read_stage(data / NAME, HELD_OUT_STAGE, OUTPUT_TOKENS))


def rows_of(profile: ProfileDocument, stage: Stage) -> Iterator[Row]:
    """Latencies, and requests per second."""
    replays = [replay(profile, stage, number) for number in range(REPLAYS)]
    others = [
        replay(member_profiles({NAME: profile}, number)[NAME], stage, number)
        for number in range(draws_of({NAME: profile}))
    ]
    shape = -1, len(ASKED), len(STATISTICS)
    said = np.array([figures(requests) for requests in replays]).reshape(shape)
    off = np.array([figures(requests) for requests in others]).reshape(shape) - said[: len(others)]
    measured = stage.measured.reshape(len(ASKED), len(STATISTICS))
    for i, (metric, asked) in enumerate(ASKED.items()):
        ours = {name: (said[:, i, j], off[:, i, j]) for j, name in enumerate(STATISTICS)}
        yield _row(metric, ours, dict(zip(STATISTICS, measured[i].tolist(), strict=True)), asked)
    rates = [np.array([throughput(requests) for requests in runs]) for runs in (replays, others)]
    differences = rates[1] - rates[0][: len(others)]
    yield _row("req/s", {"mean": (rates[0], differences)}, {"mean": stage.throughput}, {"mean": 0.02})


def _row(
    metric: str, ours: dict[str, tuple[Array, Array]], measured: dict[str, float], asked: dict[str, float]
) -> Row:
    """``ours`` has by statistic its values in the replays, and how far members are from the best fit."""
    said = {name: float(values.mean()) for name, (values, _) in ours.items()}
    intervals = {name: predictive(values, off) for name, (values, off) in ours.items()}
    case = f"8B, stage {HELD_OUT_STAGE}"
    return Row(NAME, CALIBRATED, LOOKED, case, metric, compared(said, measured, intervals), asked)


def throughput(requests: list[Request]) -> float:
    """Requests per second from the first sending to the last answer, as the summaries have it."""
    return len(requests) / (max(r.finished for r in requests) - min(r.arrival for r in requests))
