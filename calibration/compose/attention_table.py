"""AttentionTable: measured attention, interpolated between its sizes."""

from __future__ import annotations

from pathlib import Path

from calibration.compose.grid import Curve, bracket, curves_of, line
from calibration.compose.serving import Heads
from calibration.compose.table_file import read_table
from calibration.errors import CalibrationError


class AttentionTable:
    """Seconds by KV data type, heads, batch and length, from AIConfigurator's ``*_attention_perf.parquet``.

    Linear in length and in batch. ``length`` names the column of tokens: ``isl`` of prompts, or ``step``,
    the tokens before the one that is decoded. Sliding windows are left out.
    """

    def __init__(self, path: Path, length: str) -> None:
        keys = ["num_heads", "num_key_value_heads", "head_dim", "kv_cache_dtype", "batch_size"]
        table = read_table(path, [*keys, length, "latency"], ["window_size"])
        if "window_size" in table:
            table = table[table["window_size"] == 0]
        self._tables: dict[Heads, dict[int, Curve]] = {}
        for (*heads, batch), (lengths, seconds) in curves_of(table, keys, length).items():
            context = lengths + 1 if length == "step" else lengths
            self._tables.setdefault(Heads(*heads), {})[batch] = context, seconds

    def __call__(self, batch: int, length: float, heads: Heads) -> float:
        """Seconds. Raises CalibrationError where the table has no such heads."""
        measured, scale = self._nearest(heads)
        curves = self._tables[measured]
        return sum(
            weight * line(*curves[mark], length) for mark, weight in bracket(sorted(curves), batch * scale)
        )

    def _nearest(self, heads: Heads) -> tuple[Heads, float]:
        """The measured heads that stand for these, and how many of their batches one of these counts.

        Kernels work on KV heads and requests alike, so more KV heads are as a larger batch of fewer. Of the
        next larger group of query heads a KV head (kernels pad it), the entry with the most KV heads.
        """
        if heads in self._tables:
            return heads, 1.0
        like = [
            known
            for known in self._tables
            if (known.size, known.dtype) == (heads.size, heads.dtype)
            and known.kv <= heads.kv
            and known.group >= heads.group
        ]
        if not like:
            raise CalibrationError(
                f"the tables have no attention of {heads.query} heads on {heads.kv} KV heads "
                f"of {heads.size} in {heads.dtype}"
            )
        nearest = min(like, key=lambda known: (known.group, -known.kv))
        return nearest, heads.kv / nearest.kv
