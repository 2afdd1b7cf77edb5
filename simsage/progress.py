"""Progress on standard error, for whatever takes over two seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from time import monotonic

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from simcore.printable import printable
from simsage.tables import SafeConsole

Report = Callable[[str, float], None]
"""Told what is being done and which share of the whole, 0 to 1, is done."""

PATIENCE_S = 2.0
PLAIN_EVERY_S = 10.0


@contextmanager
def progress() -> Iterator[Report]:
    """Give a Report: a bar on a terminal, a line every ten seconds elsewhere, nothing if it is over soon."""
    console = SafeConsole(stderr=True)
    with _bar(console) if console.is_terminal else _lines(console) as report:
        yield report


@contextmanager
def _bar(console: SafeConsole) -> Iterator[Report]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
    )
    # Redirected, what is printed beside the bar would come to the terminal as it is.
    bar = Progress(
        *(*columns, TimeElapsedColumn()),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    task = bar.add_task("", total=1.0)
    start = Timer(PATIENCE_S, bar.start)
    start.daemon = True
    start.start()
    try:
        yield lambda text, share: bar.update(task, description=printable(text), completed=share)
    finally:
        start.cancel()
        bar.stop()


@contextmanager
def _lines(console: SafeConsole) -> Iterator[Report]:
    due = monotonic() + PATIENCE_S

    def report(text: str, share: float) -> None:
        nonlocal due
        if monotonic() >= due:
            console.print(f"{share:4.0%} {text}", markup=False, highlight=False)
            due = monotonic() + PLAIN_EVERY_S

    yield report
