"""Table: one table of the paper, as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from simsage.paper import latex
from simsage.paper.numbers import Number

Cell = str | Number
"""A number where there is one, so that the CSV has all its digits."""


@dataclass(frozen=True, slots=True)
class Table:
    """``name`` is the files' name and the LaTeX label; every row has a cell for each column."""

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.name}: a row does not have the {len(self.columns)} columns")

    def known_columns(self) -> Table:
        """The same without the columns of which no row has a number or a word."""
        kept = [i for i in self._places() if any(not _empty(row[i]) for row in self.rows)]
        rows = tuple(tuple(row[i] for i in kept) for row in self.rows)
        return Table(self.name, self.caption, tuple(self.columns[i] for i in kept), rows)

    def to_markdown(self) -> str:
        """A pipe table."""
        rule = ["---:" if numeric else "---" for numeric in self._numeric()]
        lines = [self.columns, rule, *self.rows]
        return "".join("| " + " | ".join(map(_piped, line)) + " |\n" for line in lines)

    def to_csv(self) -> str:
        """Every number in full; one with intervals anywhere in its column has two more columns for them."""
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        bounded = [any(_bounded(row[i]) for row in self.rows) for i in self._places()]
        writer.writerow(_heads(self.columns, bounded))
        for row in self.rows:
            writer.writerow(
                value for cell, wide in zip(row, bounded, strict=True) for value in _values(cell, wide)
            )
        return text.getvalue()

    def to_latex(self) -> str:
        """A table float for the booktabs package."""
        return latex.table(self.name, self.caption, self.columns, self.rows, self._numeric())

    def write(self, folder: Path) -> None:
        """Write NAME.md, NAME.csv and NAME.tex."""
        for suffix, text in (("md", self.to_markdown()), ("csv", self.to_csv()), ("tex", self.to_latex())):
            (folder / f"{self.name}.{suffix}").write_text(text, encoding="utf-8", newline="\n")

    def _places(self) -> range:
        return range(len(self.columns))

    def _numeric(self) -> list[bool]:
        return [
            bool(self.rows) and all(isinstance(row[i], Number) for row in self.rows) for i in self._places()
        ]


def _empty(cell: Cell) -> bool:
    return isinstance(cell, Number) and cell.value is None


def _bounded(cell: Cell) -> bool:
    return isinstance(cell, Number) and cell.ci95 is not None


def _piped(cell: Cell) -> str:
    return str(cell).replace("|", "\\|")


def _heads(columns: Sequence[str], bounded: Sequence[bool]) -> Iterator[str]:
    for name, wide in zip(columns, bounded, strict=True):
        yield from (name, f"{name}, low", f"{name}, high") if wide else (name,)


def _values(cell: Cell, wide: bool) -> Iterator[str]:
    if not isinstance(cell, Number):
        yield from (cell, "", "") if wide else (cell,)
        return
    yield "" if cell.value is None else repr(cell.value)
    if wide:
        yield from map(repr, cell.ci95) if cell.ci95 else ("", "")
