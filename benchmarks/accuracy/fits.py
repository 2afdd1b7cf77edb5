"""How far profiles are from what they were fitted to and from what was held out of their fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from simcore.profile.base import FitQuality
from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile, shipped_profiles

HEADER = ("profile", "how", "part", "kind", "fitted", "held out", "median", "p90", "ok")
MEDIAN, P90 = 0.05, 0.12
"""Asked of what was measured step by step or batch by batch."""
STEPS = ("prefill", "decode", "mixed", "batch")


def lines(names: Iterable[str] = ()) -> Iterator[str]:
    """One a part and kind of the profiles' fits; of the shipped profiles if none are named."""
    profiles = [load_profile(name, Path()) for name in names or shipped_profiles()]
    cells = [HEADER, *(line for profile in profiles for line in _lines(profile))]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _lines(profile: ProfileDocument) -> Iterator[tuple[str, ...]]:
    parts = {"llm": profile.llm, "embedding": profile.embedding, "retrieval": profile.retrieval}
    how = profile.provenance.how
    for name, part in parts.items():
        for kind, fit in (part.fit if part else {}).items():
            errors = f"{fit.median_abs_error:.1%}", f"{fit.p90_abs_error:.1%}"
            asked = _ok(fit) if how == "measured" and kind in STEPS else ""
            yield profile.name, how, name, kind, str(fit.points), str(fit.held_out), *errors, asked


def _ok(fit: FitQuality) -> str:
    return "yes" if fit.median_abs_error <= MEDIAN and fit.p90_abs_error <= P90 else "NO"
