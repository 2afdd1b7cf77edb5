"""anchors_of: the pace of the machine around each live repetition, which its simulation had too."""

from __future__ import annotations

from collections.abc import Iterator

from validate.compare.case import Case
from validate.compare.verdict import Anchors


def anchors_of(case: Case) -> Iterator[Anchors]:
    """Nothing where no pace is known."""
    if all(one is None for one in case.anchors):
        return
    spoken = " and ".join("an unknown number of" if one is None else f"{one:.3g}" for one in case.anchors)
    yield Anchors(
        variant=case.variant,
        point=case.point,
        factors=list(case.anchors),
        sentence=f"Around {case.label} the machine took {spoken} times as long as by the profile for a fixed "
        "load, and the simulation had the same pace.",
    )
