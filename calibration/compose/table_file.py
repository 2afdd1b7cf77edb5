"""read_table: a table of measured operators, which may be anybody's file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from calibration.errors import CalibrationError
from simcore.regular_file import check_regular


def read_table(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Those columns of the table, the ``optional`` ones as far as they are there.

    Raises CalibrationError where it is none, lacks a ``needed`` column or has no rows.
    """
    try:
        check_regular(path)
        there = set(pq.read_schema(path).names)
        if missing := [name for name in needed if name not in there]:
            raise CalibrationError(f"{path}: found no column {missing[0]}; needed: {', '.join(needed)}")
        columns = [*needed, *(name for name in optional if name in there)]
        table: pd.DataFrame = pq.read_table(path, columns=columns).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise CalibrationError(f"{path}: found no Parquet table ({' '.join(str(error).split())})") from None
    if table.empty:
        raise CalibrationError(f"{path}: found no rows")
    return table
