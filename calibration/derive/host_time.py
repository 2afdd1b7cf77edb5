"""host_time: the free parameters of composed steps, the host's two, from a few load tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import linprog

from calibration.compose.aiconfigurator import OperatorTables
from calibration.compose.compose import on_device
from calibration.compose.composition import Composition, StepSeconds
from calibration.compose.host import HOST, Host, with_host
from calibration.compose.operators import gpu_seconds
from calibration.derive.inferencex import Row
from calibration.errors import CalibrationError
from calibration.fits.linear import Array

EVERY = 7
"""Rows 0, 7, 14 and so on of the file are fitted, no others."""


def composed(row: Row, tables: OperatorTables, host: Host = HOST) -> StepSeconds:
    """Step times of the row's server, composed from the tables of its own or a sister device."""
    operators, device = on_device(tables, row.device)
    return with_host(gpu_seconds(operators, device, row.serving), row.serving, host)


def steady_tpot(seconds: StepSeconds, row: Row) -> float:
    """TPOT in the steady state: while a request decodes, each other user's next prompt is prefilled once.

    Holds while all users' requests fit in the KV cache.
    """
    context = row.mean_prompt + row.mean_output // 2
    decode = seconds(Composition(decodes=(context,) * row.users))
    mixed = seconds(Composition((context,) * (row.users - 1), ((0, row.mean_prompt),)))
    return decode + (row.users - 1) / row.mean_output * (mixed - decode)


def fit_host(rows: Sequence[Row], tables: OperatorTables) -> tuple[float, float]:
    """Seconds a step and a sequence that minimise the sum of TPOT's absolute relative errors.

    TPOT is linear in both, as these servers schedule synchronously. Absolute, not squared: where the tables'
    kernels are not the served ones a row is off by far more than the host's share.
    """
    without = replace(HOST, step=0.0, sequence=0.0)
    kernels = np.array([steady_tpot(composed(row, tables, without), row) for row in rows])
    measured = np.array([row.tpot for row in rows])
    users = np.array([row.users for row in rows])
    terms = np.stack([np.ones(len(rows)), users], axis=1) / measured[:, None]
    step, sequence = _least_absolute(terms, 1 - kernels / measured)
    return step, sequence


def _least_absolute(terms: Array, target: Array) -> tuple[float, float]:
    """The two non-negative factors of ``terms``, shape (n, 2), nearest ``target`` by the sum of distances."""
    count = len(target)
    slack = np.eye(count)
    cost = np.concatenate([np.zeros(2), np.ones(count)])
    above = np.block([[terms, -slack], [-terms, -slack]])
    found = linprog(cost, A_ub=above, b_ub=np.concatenate([target, -target])).x
    if found is None:
        raise CalibrationError("no load tests, no time of the host")
    return float(found[0]), float(found[1])
