"""GemmTable: measured matrix products, interpolated between their sizes."""

from __future__ import annotations

from math import isnan, prod
from pathlib import Path

from calibration.compose.grid import NO_CURVE, bracket, curves_of, line
from calibration.compose.table_file import read_table
from calibration.errors import CalibrationError


class GemmTable:
    """Seconds by data type, n, k and m, from AIConfigurator's ``gemm_perf.parquet``.

    Linear in each size, not in its logarithm. Products larger than the table's are cut in equal parts that
    it holds.
    """

    def __init__(self, path: Path) -> None:
        table = read_table(path, ["gemm_dtype", "m", "n", "k", "latency"])
        self._curves = curves_of(table, ["gemm_dtype", "n", "k"], "m")
        self._dtypes, self._n, self._k = (sorted(set(values)) for values in zip(*self._curves, strict=True))
        self._most = int(table["m"].max()), self._n[-1], self._k[-1]

    def __call__(self, m: int, n: int, k: int, dtype: str) -> float:
        """Seconds of m x k by k x n. Raises CalibrationError where the table has no such products."""
        if dtype not in self._dtypes:
            raise CalibrationError(f"the tables have no products in {dtype}, only {', '.join(self._dtypes)}")
        parts = [-(-size // most) for size, most in zip((m, n, k), self._most, strict=True)]
        m, n, k = (round(size / count) for size, count in zip((m, n, k), parts, strict=True))
        seconds = sum(
            n_weight * k_weight * line(*self._curves.get((dtype, n_mark, k_mark), NO_CURVE), m)
            for n_mark, n_weight in bracket(self._n, n)
            for k_mark, k_weight in bracket(self._k, k)
        )
        if isnan(seconds):
            raise CalibrationError(f"the tables have no product near {m} x {k} by {k} x {n} in {dtype}")
        return float(prod(parts) * seconds)
