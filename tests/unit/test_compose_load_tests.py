"""The one free parameter of composed steps: fitted on made-up load tests whose answer is known."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from calibration.compose.aiconfigurator import OperatorTables
from calibration.compose.compose import LAYER
from calibration.compose.composition import Composition
from calibration.derive.composed import H100_TABLES
from calibration.derive.inferencex import Row, read_rows
from calibration.derive.layer_time import EVERY, composed, fit_layer, steady_tpot

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
def test_a_known_layer_time_is_found_again() -> None:
    tables = OperatorTables(DATA / H100_TABLES)
    rows = [replace(ROW, system=s, users=u) for s in ("h100_sxm", "h200_sxm") for u in (4, 16)]
    known = [replace(row, tpot=steady_tpot(composed(row, tables, 5e-5), row)) for row in rows]
    assert fit_layer(known, tables) == pytest.approx(5e-5)


@needs_data
def test_the_layer_time_in_use_is_the_fitted_one() -> None:
    rows = read_rows(DATA / "e2e_llama_70b.csv")
    assert len(rows) == 105
    assert fit_layer(rows[::EVERY], OperatorTables(DATA / H100_TABLES)) == pytest.approx(LAYER, rel=0.01)
