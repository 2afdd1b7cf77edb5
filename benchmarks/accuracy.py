"""How far profiles are from measurements: one table of what is asked of them, and one of their own fits.

``SIMSAGE_DATA=FOLDER python benchmarks/accuracy.py [PROFILE.json ...]``; FOLDER holds the published data by
source, without it their rows are skipped. Profiles are the shipped ones unless others are named.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import accuracy_aiconfigurator
import accuracy_fit_time
import accuracy_inference_perf
import accuracy_llmd
import accuracy_llmservingsim
from verdict_row import Row, holds

import simcore.profile.shipped
from simcore.profile.base import FitQuality
from simcore.profile.document import ProfileDocument
from simcore.profile.load import parse_profile

ASKED = ("point", "what", "figure", "target", "holds")
FITS = ("profile", "how", "part", "kind", "fitted", "held out", "median error", "p90 error")
MEDIAN, P90 = 0.05, 0.12
FROM_DATA: dict[str, Callable[[Path], list[Row]]] = {
    "2": accuracy_llmservingsim.rows,
    "3": accuracy_inference_perf.rows,
    "4": accuracy_llmd.rows,
    "5": accuracy_aiconfigurator.rows,
    "6": accuracy_fit_time.rows,
}


def asked(profiles: Sequence[ProfileDocument], data: Path) -> Iterator[Row]:
    """Every figure that a profile has to reach, and whether it does."""
    yield from (row for profile in profiles for row in measured_rows(profile))
    for point, rows in FROM_DATA.items():
        if data.is_dir():
            yield from rows(data)
        else:
            yield point, rows.__module__, "skipped: SIMSAGE_DATA names no folder", "", ""


def measured_rows(profile: ProfileDocument) -> Iterator[Row]:
    """Held-out errors of what was measured step by step or batch by batch."""
    if profile.provenance.how != "measured":
        return
    for part, kind, fit in _fits(profile):
        if kind in ("prefill", "decode", "mixed", "batch"):
            reached = fit.median_abs_error <= MEDIAN and fit.p90_abs_error <= P90
            figure = f"{fit.median_abs_error:.1%} / {fit.p90_abs_error:.1%}"
            what = f"{profile.name}: held-out {part} {kind}, median / p90"
            yield "1", what, figure, f"<= {MEDIAN:.0%} / {P90:.0%}", holds(reached)


def fits(profiles: Sequence[ProfileDocument]) -> Iterator[Row]:
    """One row for each part and kind of the profiles' fits."""
    for profile in profiles:
        for part, kind, fit in _fits(profile):
            errors = f"{fit.median_abs_error:.1%}", f"{fit.p90_abs_error:.1%}"
            how = profile.provenance.how
            yield profile.name, how, part, kind, str(fit.points), str(fit.held_out), *errors


def _fits(profile: ProfileDocument) -> Iterator[tuple[str, str, FitQuality]]:
    parts = {"llm": profile.llm, "embedding": profile.embedding, "retrieval": profile.retrieval}
    for name, part in parts.items():
        for kind, fit in (part.fit if part else {}).items():
            yield name, kind, fit


def table(header: Row, lines: Iterable[Row]) -> str:
    """The rows under the header, in columns."""
    every = [header, *lines]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in every
    )


def main() -> None:
    """Print both tables for the given or the shipped profiles."""
    shipped = [
        path for folder in simcore.profile.shipped.__path__ for path in sorted(Path(folder).glob("*.json"))
    ]
    paths = [Path(argument) for argument in sys.argv[1:]] or shipped
    profiles = [parse_profile(path.read_text(encoding="utf-8"), str(path)) for path in paths]
    data = Path(os.environ.get("SIMSAGE_DATA", "../shared/data"))
    print(table(ASKED, asked(profiles, data)))
    print()
    print(table(FITS, fits(profiles)))


if __name__ == "__main__":
    main()
