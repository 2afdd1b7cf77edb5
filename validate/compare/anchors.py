"""anchors_of: the pace of the machine around each live repetition, which its simulation had too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from validate.compare.case import Case
from validate.compare.verdict import Anchors


def anchors_of(case: Case) -> Iterator[Anchors]:
    """Nothing where no pace is known."""
    if all(one is None for one in case.anchors):
        return
    constant = [None if one is None else one.constant for one in case.anchors]
    growing = [None if one is None else one.growing for one in case.anchors]
    yield Anchors(
        variant=case.variant,
        point=case.point,
        factors=constant,
        growing=growing,
        sentence=f"Around {case.label} the machine took {_spoken(constant)} times as long as by the profile "
        f"for work that does not grow with a step's tokens, and {_spoken(growing)} times for work that does, "
        "and the simulation had the same pace.",
    )


def _spoken(factors: Sequence[float | None]) -> str:
    return " and ".join("an unknown number of" if one is None else f"{one:.3g}" for one in factors)
