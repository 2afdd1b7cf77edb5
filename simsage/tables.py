"""Tables on the terminal, in the one style that all commands print in."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

WIDTH = 100
"""Columns where there is no terminal."""


def plain_console(console: Console | None) -> Console:
    """The console, or a new one; without a terminal in plain text, `WIDTH` columns wide."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def titled(title: str) -> Table:
    """A table without columns yet."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, title=escape(title))
    table.title_justify, table.title_style = "left", "bold"
    return table


def add_numbers(table: Table, *names: str) -> None:
    """Add a column of numbers for each name."""
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
