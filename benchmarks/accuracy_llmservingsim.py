"""The profiles composed from LLMServingSim's kernel tables against its runs of real vLLM, replayed.

``SIMSAGE_DATA=FOLDER python benchmarks/accuracy_llmservingsim.py``
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import product
from pathlib import Path

from verdict_row import Row, holds

from calibration.derive.llmservingsim import GPUS, RTX_4090, derive, served_run
from calibration.derive.served_run import METRICS, STATISTICS

LIMITS = {"mean": 0.05, "p50": 0.10, "p90": 0.10, "p99": 0.10}
OTHER_START = 2588
"""KV blocks that the peer gives for another run on the RTX 4090, of max_num_seqs 256."""
OTHER_RUN = (
    *(65_456.6, 60_110.9, 121_121.7, 137_356.3),
    *(32.4, 30.8, 38.1, 56.0),
    *(86_578.3, 83_413.3, 141_600.9, 153_627.5),
)
"""What that run took: by metric, then by statistic, in milliseconds.

Column vLLM of bench/examples/RTX4090/Llama-3.1-8B/validation/summary.txt, casys-kaist/LLMServingSim.
"""
Figures = Mapping[tuple[str, str], float]


def rows(data: Path) -> list[Row]:
    """(point, what, figure, target, holds) by GPU, metric and statistic.

    Both runs on their own profiles; then with the other run's KV blocks the RTX 4090, against this run's
    times, which were not made with them, and against the other run's, by these arrivals.
    """
    folder = data / "llmservingsim"
    found: list[Row] = []
    for gpu in GPUS:
        run, profile = served_run(folder, gpu), derive(folder, gpu, "")
        found += compared(gpu.kernels, run.measured().figures(), run.replayed(profile).figures())
    run = served_run(folder, RTX_4090)
    simulated = run.replayed(derive(folder, RTX_4090, ""), OTHER_START).figures()
    other = {key: ms / 1e3 for key, ms in zip(product(METRICS, STATISTICS), OTHER_RUN, strict=True)}
    blocks = f"{RTX_4090.kernels}, {OTHER_START:,} blocks"
    return [
        *found,
        *compared(f"{blocks}, this run", run.measured().figures(), simulated),
        *compared(f"{blocks}, other run", other, simulated),
    ]


def compared(run: str, measured: Figures, simulated: Figures) -> list[Row]:
    """A row for each figure, seconds."""
    found: list[Row] = []
    for (metric, name), real in measured.items():
        ours, limit = simulated[metric, name], LIMITS[name]
        error = ours / real - 1
        figure = f"{error:+.1%} ({ours * 1e3:,.1f} ms for {real * 1e3:,.1f} ms)"
        verdict = holds(abs(error) <= limit)
        found.append(("2", f"{run}: {metric} {name}", figure, f"within {limit:.0%}", verdict))
    return found


def main() -> None:
    """Print the rows for the data in ``SIMSAGE_DATA``."""
    for row in rows(Path(os.environ.get("SIMSAGE_DATA", "../shared/data"))):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, (2, 46, 42, 11, 3), strict=True)).rstrip()
        )


if __name__ == "__main__":
    main()
