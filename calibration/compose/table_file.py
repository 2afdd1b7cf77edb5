"""read_table: a table of measured operators, which may be anybody's file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from calibration.errors import CalibrationError


def read_table(path: Path, needed: Sequence[str]) -> pd.DataFrame:
    """The whole table. Raises CalibrationError where it is none, lacks a ``needed`` column or has no rows."""
    try:
        table: pd.DataFrame = pq.read_table(path).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise CalibrationError(f"{path}: found no Parquet table ({' '.join(str(error).split())})") from None
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise CalibrationError(f"{path}: found no column {missing[0]}; needed: {', '.join(needed)}")
    if table.empty:
        raise CalibrationError(f"{path}: found no rows")
    return table
