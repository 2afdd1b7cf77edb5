"""The H100 profile against the load-test stage that it was not fitted to.

``SIMSAGE_DATA=FOLDER python benchmarks/accuracy_inference_perf.py``

Throughput says little here: the load is open loop and the engine keeps up, so it is that of the arrivals.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from scipy.stats import t
from verdict_row import Row, holds

from calibration.derive.h100 import HELD_OUT_STAGE, OUTPUT_TOKENS
from calibration.derive.inference_perf import STATISTICS, Stage, read_stage
from calibration.derive.inference_perf_replay import figures, replay
from calibration.fits.linear import Array
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile
from simcore.request import Request

PROFILE = "h100-llama-3.1-8b"
REPLAYS = 10
LATENCY, THROUGHPUT = 0.05, 0.02
METRICS = ("TTFT", "latency")
COUNTED = "output tokens/s, as the client counts"


def rows(data: Path) -> list[Row]:
    """Point, what, figure, target and whether it holds."""
    stage = read_stage(data / "inference_perf_h100", HELD_OUT_STAGE, OUTPUT_TOKENS)
    return rows_of(load_profile(PROFILE, Path()), stage)


def rows_of(profile: ProfileDocument, stage: Stage) -> list[Row]:
    """The stage's figures, each replayed ``REPLAYS`` times."""
    replays = [replay(profile, stage, number) for number in range(REPLAYS)]
    times = np.array([figures(requests) for requests in replays])
    rates = np.array([throughput(requests) for requests in replays])
    names = [f"{metric} {statistic}" for metric in METRICS for statistic in STATISTICS]
    found = [
        row(f"{name} ({real * 1e3:,.0f} ms)", said / real - 1, LATENCY if "latency" in name else None)
        for name, said, real in zip(names, times.T, stage.measured, strict=True)
    ]
    measured = stage.throughput
    counted = stage.output_throughput / measured
    return [
        *found,
        row(f"requests/s ({measured:.1f})", rates / measured - 1, THROUGHPUT),
        row(
            f"{COUNTED} ({stage.output_throughput:,.0f})",
            rates * counted / stage.output_throughput - 1,
            THROUGHPUT,
        ),
    ]


def throughput(requests: list[Request]) -> float:
    """Requests per second from the first sending to the last answer, as the summaries have it."""
    return len(requests) / (max(r.finished for r in requests) - min(r.arrival for r in requests))


def row(what: str, errors: Array, limit: float | None) -> Row:
    """A row for the mean of the replays' relative errors; shape (replays,)."""
    mean, spread = float(errors.mean()), float(errors.std(ddof=1))
    half = float(t.ppf(0.975, len(errors) - 1)) * spread / len(errors) ** 0.5
    figure = f"{mean:+.1%} (95%: {mean - half:+.1%} to {mean + half:+.1%}; replays {spread:.1%} apart)"
    asked = ("", "") if limit is None else (f"within {limit:.0%}", holds(abs(mean) <= limit))
    return ("3", f"8B on H100, stage {HELD_OUT_STAGE} predicted: {what}", figure, *asked)


def main() -> None:
    """Print the rows for the data in ``SIMSAGE_DATA``."""
    for line in rows(Path(os.environ.get("SIMSAGE_DATA", "../shared/data"))):
        print("  ".join(line).rstrip())


if __name__ == "__main__":
    main()
