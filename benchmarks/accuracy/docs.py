"""renew: the table and the figure of docs/accuracy.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy.figure import draw
from benchmarks.accuracy.row import Row
from benchmarks.accuracy.table import markdown

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "accuracy.md"
FIGURE = DOCS / "images" / "accuracy.svg"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"


def renew(rows: Sequence[Row]) -> None:
    """Write the figure, and the table between its marks on the page."""
    draw(rows, FIGURE)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(rows)}\n{END}{after}", encoding="utf-8")
