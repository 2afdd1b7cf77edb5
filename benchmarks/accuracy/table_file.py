"""The table as JSON: rows that another version's can be held against."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.accuracy.row import Figure, Row

COMMITTED = Path(__file__).with_name("table.json")
DIGITS = 5


def written(rows: Iterable[Row]) -> str:
    """JSON, a row a line, numbers to `DIGITS` digits."""
    lines = [json.dumps(_rounded(asdict(row))) for row in rows]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def read(file: Path) -> list[Row]:
    """The rows of a file that `written` wrote."""
    return [_row(raw) for raw in json.loads(file.read_text(encoding="utf-8"))]


def worse(now: Sequence[Row], before: Sequence[Row], slack: float) -> list[str]:
    """What is further off than it was by more than ``slack``, and what of the same data is missing."""
    errors = {(row.data, row.calibrated, row.case, row.metric): row for row in now}
    data = {row.data for row in now}
    found: list[str] = []
    for old in before:
        if old.data not in data:
            continue
        new = errors.get((old.data, old.calibrated, old.case, old.metric))
        for name, figure in old.figures.items():
            what = f"{old.data}, {old.case}: {old.metric} {name}"
            if new is None or name not in new.figures:
                found.append(f"{what} is missing")
            elif abs(error := new.figures[name].error) > abs(figure.error) + slack:
                found.append(f"{what}: {error:+.1%}, was {figure.error:+.1%}")
    return found


def _row(raw: dict[str, object]) -> Row:
    figures = raw.pop("figures")
    assert isinstance(figures, dict)
    raw["many"] = tuple(raw["many"])  # type: ignore[arg-type]
    return Row(figures={name: _figure(**fields) for name, fields in figures.items()}, **raw)  # type: ignore[arg-type]


def _figure(interval: list[float] | None, **fields: float) -> Figure:
    return Figure(interval=None if interval is None else (interval[0], interval[1]), **fields)


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
