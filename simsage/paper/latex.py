"""LaTeX: text escaped, and tables."""

from __future__ import annotations

from collections.abc import Sequence

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "±": r"$\pm$",
        "×": r"$\times$",
        "−": r"$-$",
        "–": "--",
    }
)


def escape(text: str) -> str:
    """The text as LaTeX sets it: every character that means something to LaTeX stands for itself."""
    return text.translate(_ESCAPES)


def table(
    label: str,
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    numeric: Sequence[bool],
) -> str:
    """A float for the booktabs package; columns of numbers are set to the right."""
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escape(caption)}}}",
        rf"  \label{{tab:{label}}}",
        rf"  \begin{{tabular}}{{{''.join('r' if right else 'l' for right in numeric)}}}",
        r"    \toprule",
        f"    {_line(columns)}",
        r"    \midrule",
        *(f"    {_line(row)}" for row in rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[object]) -> str:
    return " & ".join(escape(str(cell)) for cell in cells) + r" \\"
