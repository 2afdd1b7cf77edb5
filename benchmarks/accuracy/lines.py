"""lines: what the table says of each row, as text; printed and in the docs the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np

from benchmarks.accuracy.row import STATISTICS, Figure, Row

HEADER = ("case", "metric", *STATISTICS, "floor", "peer", "held", "asked", "ok")
SHOWN = 50
"""Rows of a part beyond which those that are summed up are not shown one by one."""
OUTER = ("mean", "p99", "p90", "p50")
"""Statistics of which floor and peer are shown: the first that has one, and the last."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one data set with the same calibration, and their lines."""

    data: str
    calibrated: str
    looked: str
    lines: list[tuple[str, ...]]

    @property
    def title(self) -> str:
        """What stands above the lines."""
        return f"{self.data}: calibrated with {self.calibrated}. Errors seen before: {self.looked}."


def parts(rows: Iterable[Row]) -> Iterator[Part]:
    """The table's parts, in the order of the rows."""
    for (data, calibrated, looked), group in groupby(rows, lambda r: (r.data, r.calibrated, r.looked)):
        yield Part(data, calibrated, looked, list(_lines(list(group))))


def _lines(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    yield from (single(row) for row in rows if not row.many or len(rows) <= SHOWN)
    groups = dict.fromkeys(many for row in rows for many in row.many)
    metrics = dict.fromkeys(row.metric for row in rows)
    for many, metric in product(groups, metrics):
        yield summed(many, [row for row in rows if many in row.many and row.metric == metric])


def single(row: Row) -> tuple[str, ...]:
    """One row: its errors, and the absolute value where nothing was measured to compare with."""
    errors = [_percent(row.figures[s].error) if s in row.figures else "" for s in STATISTICS]
    return (
        row.case,
        row.metric,
        *errors,
        _pair({name: figure.floor for name, figure in row.figures.items()}, ".1%"),
        _pair({name: figure.peer for name, figure in row.figures.items()}, "+.1%"),
        _held(row.figures.values()),
        "" if row.many else _asked(row),
        "" if row.many else _ok(row.holds),
    )


def summed(many: str, rows: Sequence[Row]) -> tuple[str, ...]:
    """The rows of a group: the median of their absolute errors, by statistic."""
    medians = {
        name: float(np.median([abs(row.figures[name].error) for row in rows if name in row.figures]))
        for name in STATISTICS
        if any(name in row.figures for row in rows)
    }
    holds = all(medians[name] <= limit for name, limit in rows[0].asked.items()) if rows[0].asked else None
    return (
        f"{many}: median of {len(rows)}",
        rows[0].metric,
        *(f"{medians[s]:.1%}" if s in medians else "" for s in STATISTICS),
        "",
        "",
        _held(figure for row in rows for figure in row.figures.values()),
        _asked(rows[0]),
        _ok(holds),
    )


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many 95% intervals held the truth, of how many, and the median of their half-widths over it."""

    data: str
    metric: str
    held: int
    count: int
    half: float


def intervals(rows: Iterable[Row]) -> list[Coverage]:
    """By data set and metric, each data set as a whole after its metrics, the last of all together."""
    found: dict[tuple[str, str], list[Figure]] = {}
    for row in rows:
        said = [figure for figure in row.figures.values() if figure.interval]
        if said:
            found.setdefault((row.data, row.metric), []).extend(said)
    lines = list[Coverage]()
    for data, group in groupby(found, lambda key: key[0]):
        metrics = [(metric, found[data, metric]) for _, metric in group]
        lines += [_coverage(data, metric, each) for metric, each in metrics]
        lines.append(_coverage(data, "all", [figure for _, each in metrics for figure in each]))
    together = [figure for each in found.values() for figure in each]
    return [*lines, _coverage("all", "all", together)] if together else []


def _coverage(data: str, metric: str, figures: Sequence[Figure]) -> Coverage:
    halves = [(f.interval[1] - f.interval[0]) / 2 / f.measured for f in figures if f.interval]
    held = sum(bool(figure.held) for figure in figures)
    return Coverage(data, metric, held, len(figures), float(np.median(halves)))


def _percent(error: float) -> str:
    return f"{error:+.0%}" if abs(error) >= 1 else f"{error:+.1%}"


def _pair(values: dict[str, float | None], form: str) -> str:
    known = [format(values[name], form) for name in OUTER if values.get(name) is not None]
    return "/".join(known[:2])


def _held(figures: Iterable[Figure]) -> str:
    said = [figure.held for figure in figures]
    known = [one for one in said if one is not None]
    return f"{sum(known)}/{len(known)}" if known else ""


def _asked(row: Row) -> str:
    limits = [f"{limit:.0%}" for limit in dict.fromkeys(row.asked.values())]
    return "/".join(limits)


def _ok(holds: bool | None) -> str:
    return "" if holds is None else "yes" if holds else "NO"
