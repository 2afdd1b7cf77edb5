"""The host's two terms of composed steps: fitted on made-up load tests whose answer is known."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from calibration.compose.aiconfigurator import OperatorTables
from calibration.compose.composition import Composition
from calibration.compose.host import HOST
from calibration.derive.composed import H100_TABLES
from calibration.derive.host_time import EVERY, composed, fit_host, steady_tpot
from calibration.derive.inferencex import Row, read_rows

ROW = Row("h100_sxm", 4, 1000, 200, 8, ttft=0.1, tpot=0.02)
DATA = Path(os.environ.get("SIMSAGE_DATA", "../shared/data")) / "aiconfigurator"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="SIMSAGE_DATA holds no aiconfigurator folder")


def test_lengths_are_nine_tenths_on_average() -> None:
    assert (ROW.mean_prompt, ROW.mean_output) == (900, 180)


def test_steady_tpot_adds_the_prefills_of_the_others() -> None:
    def seconds(composition: Composition) -> float:
        return 0.01 + (0.05 if composition.chunks else 0.0)

    assert steady_tpot(seconds, ROW) == pytest.approx(0.01 + 7 / 180 * 0.05)
    assert steady_tpot(seconds, replace(ROW, users=1)) == pytest.approx(0.01)


@needs_data
def test_a_known_host_is_found_again_though_one_row_is_far_off() -> None:
    tables = OperatorTables(DATA / H100_TABLES)
    host = replace(HOST, step=3e-3, sequence=5e-5)
    rows = [replace(ROW, system=s, users=u) for s in ("h100_sxm", "h200_sxm") for u in (4, 16, 32)]
    known = [replace(row, tpot=steady_tpot(composed(row, tables, host), row)) for row in rows]
    known[-1] = replace(known[-1], tpot=1.5 * known[-1].tpot)
    assert fit_host(known, tables) == pytest.approx((3e-3, 5e-5))


@needs_data
def test_the_host_in_use_is_the_fitted_one() -> None:
    rows = read_rows(DATA / "e2e_llama_70b.csv")
    assert len(rows) == 105
    fitted = fit_host(rows[::EVERY], OperatorTables(DATA / H100_TABLES))
    assert fitted == pytest.approx((HOST.step, HOST.sequence), rel=0.01)
