"""Composed 70B profiles against the 105 published load tests of Llama-3.1-70B on H100 and H200."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.accuracy.left_out import with_intervals
from benchmarks.accuracy.row import DATA, Figure, Row
from calibration.compose.aiconfigurator import OperatorTables
from calibration.compose.compose import compose_profile
from calibration.derive.host_time import EVERY, composed, steady_tpot
from calibration.derive.inferencex import read_rows, replay

NAME = "aiconfigurator"
ASKED = {"mean": 0.03}
"""Of the median over all load tests, as a whole."""
CALIBRATED = "operator tables; the host's time from every seventh load test"
LOOKED = "yes"


def rows(data: Path = DATA) -> Iterator[Row]:
    """Each load test's mean TPOT and TTFT; those that the host's time was fitted to by themselves.

    Intervals are by the errors on the other GPU and numbers of ranks.
    """
    return with_intervals([*_rows(data)], lambda row: tuple(row.case.split()[1:3]))


def _rows(data: Path) -> Iterator[Row]:
    folder = data / NAME / "h100_sxm" / "vllm_0.19.0"
    tables = OperatorTables(folder)
    tests = read_rows(data / NAME / "e2e_llama_70b.csv")
    servers = {(row.device.name, row.tp): row for row in tests}
    profiles = {
        key: compose_profile(folder, row.serving, name="composed", date="", device=row.device)
        for key, row in servers.items()
    }
    for number, test in enumerate(tests):
        steady = steady_tpot(composed(test, tables), test)
        said = replay(profiles[test.device.name, test.tp], test, steady)
        case = f"70B, {test.system} tp{test.tp} {test.prompt}/{test.output} x{test.users} #{number}"
        gpu, how = test.system.removesuffix("_sxm"), "not fitted" if number % EVERY else "fitted"
        many = "70B, all", f"70B, {gpu}, {how}"
        for metric, ours, real, asked in (
            ("TPOT", said.tpot, test.tpot, ASKED),
            ("TTFT", said.ttft, test.ttft, {}),
        ):
            figures = {"mean": Figure(ours, real)}
            yield Row(NAME, CALIBRATED, LOOKED, case, metric, figures, asked, many)
