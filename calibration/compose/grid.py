"""grid: linear interpolation in measured tables that are not full."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from calibration.fits.linear import Array

Curve = tuple[Array, Array]
"""Marks that rise, and the seconds at them."""
NO_CURVE: Curve = (np.array([]), np.array([]))


def curves_of(table: pd.DataFrame, keys: list[str], mark: str) -> dict[tuple[Any, ...], Curve]:
    """By the values of ``keys``, the seconds over ``mark``: means of the latencies, in milliseconds."""
    seconds = table.groupby([*keys, mark])["latency"].mean().reset_index()
    return {
        tuple(np.atleast_1d(np.array(key, dtype=object)).tolist()): (
            rows[mark].to_numpy(float),
            rows["latency"].to_numpy(float) / 1e3,
        )
        for key, rows in seconds.groupby(keys)
    }


def line(at: Array, values: Array, x: float) -> float:
    """Linear between the marks ``at``, which rise, and along the last two beyond the last; 0 marks: nan.

    Below the first mark the first value holds: fixed costs rule there.
    """
    if not len(at):
        return float("nan")
    if x > at[-1] and len(at) > 1:
        slope = (values[-1] - values[-2]) / (at[-1] - at[-2])
        return float(values[-1] + max(0.0, slope) * (x - at[-1]))
    return float(np.interp(x, at, values))


def bracket(marks: Sequence[int], x: float) -> list[tuple[int, float]]:
    """The marks around ``x`` with their weights; the nearest two, extended, beyond the last.

    Below the first, the first alone.
    """
    if x <= marks[0] or len(marks) == 1:
        return [(marks[0], 1.0)]
    high = min(bisect_right(marks, x), len(marks) - 1)
    low = high - 1
    share = (x - marks[low]) / (marks[high] - marks[low])
    return [(mark, weight) for mark, weight in ((marks[low], 1 - share), (marks[high], share)) if weight]
