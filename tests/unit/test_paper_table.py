"""Tables as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io

import pytest

from simsage.paper import latex
from simsage.paper.facts import ABSENT
from simsage.paper.numbers import Number, Numbers
from simsage.paper.table import Table
from simsage.statistics import Estimate

WITH = Number("1.5 ±0.5", 1.5, (1.0, 2.0), "", ())
WITHOUT = Number("12%", 0.1234567890123, None, "", ())
TABLE = Table(
    "t_a", "50% of a_b & c", ("who", "time (ms)", "share"), (("x|y_1", WITH, WITHOUT), ("z", ABSENT, WITHOUT))
)


def test_markdown_sets_numbers_to_the_right_and_keeps_pipes_in_their_cell():
    assert TABLE.to_markdown() == (
        "| who | time (ms) | share |\n| --- | ---: | ---: |\n| x\\|y_1 | 1.5 ±0.5 | 12% |\n| z | – | 12% |\n"
    )


def test_csv_has_every_digit_and_intervals_in_columns_of_their_own():
    lines = list(csv.reader(io.StringIO(TABLE.to_csv())))
    assert lines == [
        ["who", "time (ms)", "time (ms), low", "time (ms), high", "share"],
        ["x|y_1", "1.5", "1.0", "2.0", "0.1234567890123"],
        ["z", "", "", "", "0.1234567890123"],
    ]


def test_latex_is_a_booktabs_float():
    assert TABLE.to_latex() == (
        "\\begin{table}\n"
        "  \\centering\n"
        "  \\caption{50\\% of a\\_b \\& c}\n"
        "  \\label{tab:t_a}\n"
        "  \\begin{tabular}{lrr}\n"
        "    \\toprule\n"
        "    who & time (ms) & share \\\\\n"
        "    \\midrule\n"
        "    x\\textbar{}y\\_1 & 1.5 $\\pm$0.5 & 12\\% \\\\\n"
        "    z & -- & 12\\% \\\\\n"
        "    \\bottomrule\n"
        "  \\end{tabular}\n"
        "\\end{table}\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\\b", r"a\textbackslash{}b"),
        ("{x}", r"\{x\}"),
        ("$5 #1 ~ ^", r"\$5 \#1 \textasciitilde{} \textasciicircum{}"),
        ("<0.1% >99.9%", r"\textless{}0.1\% \textgreater{}99.9\%"),
        ("× ± − –", r"$\times$ $\pm$ $-$ --"),
    ],
)
def test_every_special_character_stands_for_itself(text: str, expected: str):
    assert latex.escape(text) == expected


def test_a_row_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="3 columns"):
        Table("t", "", ("a", "b", "c"), (("x",),))


def test_a_key_names_one_number():
    numbers = Numbers()
    numbers.add("a", "1", Estimate(1.0, None, 3), "", ["s"])
    numbers.add("a", "1", Estimate(1.0, None, 3), "", ["s"])
    with pytest.raises(ValueError, match="and now"):
        numbers.add("a", "2", Estimate(2.0, None, 3), "", ["s"])
