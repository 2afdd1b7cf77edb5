"""Stages of an inference-perf load test, as its summaries tell them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibration.fits.linear import Array

METRICS = ("time_to_first_token", "request_latency")
STATISTICS = ("mean", "median", "p90")
MARKS = {"min": 0, "p5": 5, "p10": 10, "p25": 25, "median": 50, "p75": 75, "p90": 90, "p95": 95}
MARKS |= {"p99": 99, "max": 100}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of constant rate: what was sent, and what was measured.

    ``output_tokens`` is what each request asked for and, the engine ignoring the end of sequence, got.
    The ``output_len`` of the summaries is the text's length in the client's tokeniser, a smaller number:
    it spreads from 36 to 68 where latencies, a request at a time, are within 4% of each other.
    """

    requests: int
    duration: float
    """Seconds from the first sending to the last."""
    prompt_tokens: list[float]
    """Equally likely lengths."""
    output_tokens: int
    measured: Array
    """Seconds: TTFT by `STATISTICS`, then latency by them, shape (6,)."""
    throughput: float
    """Requests per second, from the first sending to the last answer."""
    output_throughput: float
    """Tokens per second in that time, by the client's tokeniser."""


def read_stage(folder: Path, index: int, output_tokens: int) -> Stage:
    """Stage ``index`` of the summaries in ``folder``, whose requests asked for ``output_tokens``."""
    summary = json.loads((folder / f"stage_{index}_lifecycle_metrics.json").read_text(encoding="utf-8"))
    done = summary["successes"]
    return Stage(
        requests=done["count"],
        duration=summary["load_summary"]["send_duration"],
        prompt_tokens=equally_likely(done["prompt_len"]),
        output_tokens=output_tokens,
        measured=np.array([done["latency"][metric][s] for metric in METRICS for s in STATISTICS]),
        throughput=done["throughput"]["requests_per_sec"],
        output_throughput=done["throughput"]["output_tokens_per_sec"],
    )


def equally_likely(summary: dict[str, float]) -> list[float]:
    """200 whole numbers with the summary's quantiles, interpolated between them."""
    at = (np.arange(200) + 0.5) / 2
    values = np.interp(at, [*MARKS.values()], [summary[name] for name in MARKS])
    return [float(v) for v in np.round(values)]
