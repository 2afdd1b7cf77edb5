"""layer_time: the one free parameter of composed steps, from a few load tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calibration.compose.aiconfigurator import OperatorTables
from calibration.compose.compose import on_device
from calibration.compose.composition import Composition, StepSeconds
from calibration.compose.operators import step_seconds
from calibration.derive.inferencex import Row

EVERY = 7
"""Rows 0, 7, 14 and so on of the file are fitted, no others."""


def composed(row: Row, tables: OperatorTables, layer: float) -> StepSeconds:
    """Step times of the row's server, composed from the tables of its own or a sister device."""
    operators, device = on_device(tables, row.device)
    return step_seconds(operators, device, row.serving, layer)


def steady_tpot(seconds: StepSeconds, row: Row) -> float:
    """TPOT in the steady state: while a request decodes, each other user's next prompt is prefilled once.

    Holds while all users' requests fit in the KV cache.
    """
    context = row.mean_prompt + row.mean_output // 2
    decode = seconds(Composition(decodes=(context,) * row.users))
    mixed = seconds(Composition((context,) * (row.users - 1), ((0, row.mean_prompt),)))
    return decode + (row.users - 1) / row.mean_output * (mixed - decode)


def fit_layer(rows: Sequence[Row], tables: OperatorTables) -> float:
    """Seconds a layer that minimise the squared relative error of TPOT, which is linear in them."""
    without = np.array([steady_tpot(composed(row, tables, 0.0), row) for row in rows])
    slope = np.array([steady_tpot(composed(row, tables, 1.0), row) for row in rows]) - without
    measured = np.array([row.tpot for row in rows])
    a, b = slope / measured, 1 - without / measured
    return float(a @ b / (a @ a))
