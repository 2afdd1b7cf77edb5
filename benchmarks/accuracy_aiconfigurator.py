"""Composed 70B profiles against the 105 published load tests of Llama-3.1-70B on H100 and H200.

``SIMSAGE_DATA=FOLDER python benchmarks/accuracy_aiconfigurator.py [--all]``; ``--all`` prints every row too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from verdict_row import holds

from calibration.compose.aiconfigurator import OperatorTables
from calibration.compose.compose import compose_profile
from calibration.compose.host import HOST
from calibration.derive.host_time import EVERY, composed, fit_host, steady_tpot
from calibration.derive.inferencex import Replay, Row, read_rows, replay

TARGET = 0.08
AGREES = 0.05
"""Within which the steady state has to equal the simulator for fits on it to be fits of the simulator."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One load test, replayed."""

    number: int
    row: Row
    said: Replay
    steady: float

    @property
    def tpot_error(self) -> float:
        """Relative; positive where the simulator is slower."""
        return self.said.tpot / self.row.tpot - 1


def compare(data: Path) -> list[Comparison]:
    """Every row through the simulator, in about a minute."""
    folder = data / "aiconfigurator" / "h100_sxm" / "vllm_0.19.0"
    tables = OperatorTables(folder)
    tests = read_rows(data / "aiconfigurator" / "e2e_llama_70b.csv")
    servers = {(row.device.name, row.tp): row for row in tests}
    profiles = {
        key: compose_profile(folder, row.serving, name="composed", date="", device=row.device)
        for key, row in servers.items()
    }
    found = []
    for number, row in enumerate(tests):
        steady = steady_tpot(composed(row, tables), row)
        said = replay(profiles[row.device.name, row.tp], row, steady)
        found.append(Comparison(number, row, said, steady))
    return found


def rows(data: Path) -> list[tuple[str, ...]]:
    """Point, what, figure, target and whether it holds."""
    return table(compare(data))


def table(all_rows: list[Comparison]) -> list[tuple[str, ...]]:
    """The comparison as rows."""
    unused = [c for c in all_rows if c.number % EVERY]
    ratios = np.array([c.said.ttft / c.row.ttft for c in all_rows])
    low, middle, high = np.quantile(ratios, [0.1, 0.5, 0.9])
    apart = np.median([abs(c.steady / c.said.tpot - 1) for c in all_rows])
    return [
        _tpot("all 105 rows", all_rows),
        _tpot(f"the {len(unused)} rows not fitted", unused),
        *(
            _tpot(f"not fitted, {s}", [c for c in unused if c.row.system == s], "")
            for s in ("h100_sxm", "h200_sxm")
        ),
        (
            "5",
            "70B: mean TTFT over published, median (p10 to p90)",
            f"{middle:.2f} ({low:.2f} to {high:.2f})",
            "",
            "",
        ),
        (
            "5",
            "70B: steady-state TPOT against the simulator's, median",
            f"{apart:.1%}",
            f"{AGREES:.0%}",
            holds(apart <= AGREES),
        ),
    ]


def _tpot(which: str, some: Iterable[Comparison], target: str = f"{TARGET:.0%}") -> tuple[str, ...]:
    errors: NDArray[np.float64] = np.abs([c.tpot_error for c in some])
    median = float(np.median(errors))
    figure = f"{median:.1%} (p90 {np.quantile(errors, 0.9):.1%})"
    return (
        "5",
        f"70B: mean TPOT, median absolute error, {which}",
        figure,
        target,
        holds(median <= TARGET) if target else "",
    )


def main() -> None:
    """Print the table, what the fit gives, and with ``--all`` every row."""
    data = Path(os.environ.get("SIMSAGE_DATA", "../shared/data"))
    comparisons = compare(data)
    for line in table(comparisons):
        print("  ".join(line))
    fitted = [c.row for c in comparisons if not c.number % EVERY]
    step, sequence = fit_host(fitted, OperatorTables(data / "aiconfigurator" / "h100_sxm" / "vllm_0.19.0"))
    print(
        f"host fitted to {len(fitted)} rows: {step * 1e3:.2f} ms a step, {sequence * 1e6:.1f} us a sequence; "
        f"in use: {HOST.step * 1e3:.2f} ms, {HOST.sequence * 1e6:.1f} us"
    )
    for c in comparisons if "--all" in sys.argv else []:
        row, said = c.row, c.said
        print(
            f"{c.number:3d} {row.system} tp{row.tp} {row.prompt}/{row.output} x{row.users}: TPOT "
            f"{said.tpot * 1e3:.1f} of {row.tpot * 1e3:.1f} ms ({c.tpot_error:+.1%}), TTFT "
            f"{said.ttft * 1e3:.0f} of {row.ttft * 1e3:.0f} ms"
        )


if __name__ == "__main__":
    main()
