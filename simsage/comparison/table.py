"""What a comparison shows in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simsage.comparison.comparison import Comparison, Row
from simsage.formats import interval, plain, point_label, with_interval
from simsage.tables import add_numbers, plain_console, print_table, titled

MARK = {True: "[bold]*[/]", False: "", None: "?"}


def show(comparison: Comparison, console: Console | None = None) -> None:
    """Print the comparison; without a terminal in plain text, 100 columns wide."""
    console = plain_console(console)
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        text = f"{side.folder}: {side.scenario}, digest {side.digest[:19]}, seed {side.seed}"
        console.print(f"[bold]{name}[/] {escape(text)}, {side.replications} replications")
    if comparison.profiles_that_differ:
        differing = ", ".join(comparison.profiles_that_differ)
        console.print(f"[yellow]profiles that differ[/]: {escape(differing)}")
    console.print()
    for row in comparison.rows:
        print_table(console, _table(row))
        console.print()
    _closing(console, comparison)


def _table(row: Row) -> Table:
    table = titled(_title(row))
    table.add_column("", min_width=18)
    add_numbers(table, "A", "B", "B − A", "B / A", "95% interval", "shown")
    for name, found in row.metrics.items():
        sides = plain(found.a.value), plain(found.b.value)
        ratio = plain(found.ratio.value), interval(found.ratio)
        table.add_row(name, *sides, with_interval(found.difference), *ratio, MARK[found.shown])
    return table


def _title(row: Row) -> str:
    stream = f"{row.stream}/{row.stage}" if row.stage else row.stream
    variants = row.variant_a if row.variant_a == row.variant_b else f"{row.variant_b} against {row.variant_a}"
    point = "" if row.point is None else f" at {point_label(row.point)}"
    how = "paired" if row.unpaired is None else f"unpaired, since {row.unpaired}"
    return f"{stream}: {variants}{point} ({how})"


def _closing(console: Console, comparison: Comparison) -> None:
    for name, only in (("A", comparison.only_in_a), ("B", comparison.only_in_b)):
        if only:
            console.print(f"[yellow]only in {name}[/]: {escape(', '.join(only))}")
    judged = comparison.judged
    console.print(
        f"* shown, {sum(judged)} of {len(judged)}: the intervals of difference and ratio leave out no effect "
        "(one in twenty would by chance). ? not judged: one replication, or nothing in it is random."
    )
