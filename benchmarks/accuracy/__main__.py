"""Print the court's table: ``python -m benchmarks.accuracy``; SIMSAGE_DATA is the measured runs' folder."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.accuracy import build_time, fits
from benchmarks.accuracy.docs import renew
from benchmarks.accuracy.row import Row
from benchmarks.accuracy.sources import SOURCES, there
from benchmarks.accuracy.table import text
from benchmarks.accuracy.table_file import COMMITTED, read, worse, written

SLACK = 0.002


@click.command()
@click.option("--only", multiple=True, type=click.Choice([*SOURCES]), help="These data sets alone.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the rows there.")
@click.option("--docs", "for_docs", is_flag=True, help="Renew docs/accuracy.md and the committed table.")
@click.option("--fits", "with_fits", is_flag=True, help="Held-out errors of profiles and build times, too.")
def main(only: tuple[str, ...], file: Path | None, for_docs: bool, with_fits: bool) -> None:
    """Every measured run beside what the simulator says of it."""
    rows = [row for name in only or SOURCES if _announced(name) for row in SOURCES[name]()]
    print(text(rows))
    for line in worse(rows, read(COMMITTED) if COMMITTED.exists() else [], SLACK):
        print(f"WORSE {line}")
    if with_fits:
        print("", *fits.lines(), "", *build_time.lines(), sep="\n")
    if file:
        file.write_text(written(rows), encoding="utf-8")
    if for_docs:
        _renew(rows, only)


def _announced(name: str) -> bool:
    if not there(name):
        print(f"{name}: skipped, SIMSAGE_DATA names no folder that has it")
    return there(name)


def _renew(rows: list[Row], only: tuple[str, ...]) -> None:
    """With the committed rows of the data sets that were not run."""
    kept = {row.data for row in rows}
    before = read(COMMITTED) if only and COMMITTED.exists() else []
    order = [*SOURCES]
    every = sorted(
        [*rows, *(row for row in before if row.data not in kept)], key=lambda r: order.index(r.data)
    )
    COMMITTED.write_text(written(every), encoding="utf-8")
    renew(read(COMMITTED))


if __name__ == "__main__":
    main()
