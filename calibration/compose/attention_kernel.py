"""AttentionKernel: one layer's attention from LLMServingSim's tables (casys-kaist/LLMServingSim, MIT)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from scipy.interpolate import RegularGridInterpolator

from calibration.compose.composition import Composition
from calibration.compose.grid import line
from calibration.fits.linear import Array

AXES = ("prefill_chunk", "kv_prefill", "n_decode", "kv_decode")
MICROSECOND = 1e-6


class Skew:
    """How far a batch of unequal KV lengths is towards one with every KV as long as the longest.

    The share is the table's, ``(t_skew - t_mean) / (t_max - t_mean)``, over a batch size by least squares of
    relative times, for decodes alone (``pure``) and mixed steps; linear between the batch sizes.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        room, excess = (table[column] / table["t_mean_us"] - 1 for column in ("t_max_us", "t_skew_us"))
        terms = table.assign(above=room * excess, below=room**2)
        sums = terms.groupby(["regime", "n"])[["above", "below"]].sum()
        shares = (sums["above"] / sums["below"]).clip(0.0, 1.0)
        self._curves = {
            regime: (rows.index.get_level_values("n").to_numpy(float), rows.to_numpy(float))
            for regime, rows in shares.groupby("regime")
        }

    def __call__(self, regime: str, decodes: int) -> float:
        """The share; one request alone is never unequal."""
        return float(np.interp(decodes, *self._curves[regime])) if decodes > 1 else 0.0


class AttentionKernel:
    """Seconds of one layer's attention: of decodes, of prompt chunks, or of both in one kernel.

    Decodes count at their mean KV length, and towards their longest as far as ``skew`` says. Several chunks
    are one of as many tokens on their mean KV, less what that takes more than they do.
    """

    def __init__(self, table: pd.DataFrame, skew: Skew | None = None) -> None:
        chunk, decodes = table["prefill_chunk"] > 0, table["n_decode"] > 0
        self._prefill = _Grid(table[chunk & ~decodes], AXES[:2])
        self._decode = _Grid(table[~chunk & decodes], AXES[2:])
        self._mixed = _Grid(table[chunk & decodes], AXES)
        self._skew = skew

    def __call__(self, composition: Composition) -> float:
        """Seconds in a layer of a step that computes something."""
        step, chunks = composition.step, composition.chunks
        if not chunks:
            return self._skewed(composition.decodes, "pure", self._decode)
        computed = sum(at * size for at, size in chunks) / step.prefill_tokens
        alone = self._prefill(step.prefill_tokens, computed)
        saved = max(0.0, alone - sum(self._prefill(size, at) for at, size in chunks))
        if not step.decodes:
            return alone - saved
        mixed = partial(self._mixed, step.prefill_tokens, computed)
        return self._skewed(composition.decodes, "mixed", mixed) - saved

    def _skewed(
        self, contexts: Sequence[int], regime: str, seconds: Callable[[float, float], float]
    ) -> float:
        count = len(contexts)
        mean = seconds(count, sum(contexts) / count)
        share = self._skew(regime, count) if self._skew else 0.0
        return mean + share * (seconds(count, max(contexts)) - mean) if share else mean


class _Grid:
    """Multilinear inside the grid, on along its last two marks beyond it, never below its first.

    The grid is that of the powers of two, and 0. A size in it that was not measured, for want of memory, is
    taken from the line along the last axis.
    """

    def __init__(self, table: pd.DataFrame, axes: Sequence[str]) -> None:
        powers = table[np.all([_power_of_two(table[axis]) for axis in axes], axis=0)]
        marks = [np.unique(powers[axis]).astype(float) for axis in axes]
        values = np.full([len(axis) for axis in marks], np.nan)
        at = zip(marks, axes, strict=True)
        values[tuple(np.searchsorted(axis, powers[name]) for axis, name in at)] = powers["time_us"]
        self._low = np.array([axis[0] for axis in marks])
        self._at = RegularGridInterpolator(
            marks, _filled(marks[-1], values) * MICROSECOND, bounds_error=False, fill_value=None
        )

    def __call__(self, *sizes: float) -> float:
        return float(self._at(np.maximum(sizes, self._low))[0])


def _filled(marks: Array, values: Array) -> Array:
    rows = values.reshape(-1, len(marks))
    for row in rows:
        known = ~np.isnan(row)
        row[~known] = [line(marks[known], row[known], mark) for mark in marks[~known]]
    return rows.reshape(values.shape)


def _power_of_two(sizes: pd.Series[int]) -> Array:
    whole = sizes.to_numpy()
    return np.asarray((whole & (whole - 1)) == 0)
