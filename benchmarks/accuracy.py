"""How far profiles are from measurements they never saw: one table.

``python benchmarks/accuracy.py [PROFILE.json ...]``; without arguments, the shipped profiles.
"""

from __future__ import annotations

import sys
from pathlib import Path

import simcore.profile.shipped
from simcore.profile.base import FitQuality
from simcore.profile.document import ProfileDocument

HEADER = ("profile", "how", "part", "kind", "fitted", "held out", "median error", "p90 error")
Row = tuple[str, ...]


def rows(profile: ProfileDocument) -> list[Row]:
    """One row for each part and kind of the profile's fit."""
    parts = {"llm": profile.llm, "embedding": profile.embedding}
    return [
        (profile.name, profile.provenance.how, part, kind, *_figures(quality))
        for part, fitted in parts.items()
        if fitted is not None
        for kind, quality in fitted.fit.items()
    ]


def _figures(quality: FitQuality) -> Row:
    errors = f"{quality.median_abs_error:.1%}", f"{quality.p90_abs_error:.1%}"
    return str(quality.points), str(quality.held_out), *errors


def table(lines: list[Row]) -> str:
    """The rows under the header, in columns."""
    widths = [max(map(len, column)) for column in zip(HEADER, *lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (HEADER, *lines)
    )


def main() -> None:
    """Print the table of the given or the shipped profiles."""
    shipped = [
        path for folder in simcore.profile.shipped.__path__ for path in sorted(Path(folder).glob("*.json"))
    ]
    paths = [Path(argument) for argument in sys.argv[1:]] or shipped
    profiles = [ProfileDocument.model_validate_json(path.read_text()) for path in paths]
    print(table([row for profile in profiles for row in rows(profile)]))


if __name__ == "__main__":
    main()
