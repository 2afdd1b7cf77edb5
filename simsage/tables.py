"""Tables on the terminal, in the one style that all commands print in."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from simcore.printable import printable

WIDTH = 100
"""Columns where there is no terminal, or one that says that it has none."""

UNBOUNDED = 10_000
"""Columns that no table needs."""


class SafeConsole(Console):
    """rich's, on which texts are shown as `printable` has them: rich passes escape sequences on."""

    def __init__(self, *, highlight: bool = True, stderr: bool = False) -> None:
        super().__init__(highlight=highlight, stderr=stderr)
        if not self.width:
            self.width = WIDTH

    def render_str(self, text: str, **style: Any) -> Text:
        """A text as rich has it; every text in a table or a print comes by here."""
        return super().render_str(printable(text), **style)


def plain_console(console: Console | None) -> Console:
    """The console, or a new one; without a terminal in plain text, `WIDTH` columns wide."""
    console = console or SafeConsole(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def print_table(console: Console, table: Table) -> None:
    """Print the table, beyond the console's width where its numbers need more.

    rich cuts what does not fit, and a 4 that is left of 46.7 reads as a number.
    """
    width, wide = console.width, console.options.update(max_width=UNBOUNDED)
    for column in table.columns:
        if column.no_wrap:
            texts = (column.header, *column.cells)
            column.min_width = max(Measurement.get(console, wide, text).maximum for text in texts)
    console.width = max(width, Measurement.get(console, wide, table).minimum)
    console.print(table)
    console.width = width


def titled(title: str) -> Table:
    """A table without columns yet."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, title=escape(title))
    table.title_justify, table.title_style = "left", "bold"
    return table


def add_numbers(table: Table, *names: str) -> None:
    """Add a column of numbers for each name."""
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
