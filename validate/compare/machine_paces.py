"""machine_paces_of: the pace of the machine in each live repetition, which its simulation had too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from validate.compare.case import Case
from validate.compare.verdict import MachinePaces


def machine_paces_of(case: Case) -> Iterator[MachinePaces]:
    """Nothing where no pace is known."""
    if all(one is None for one in case.machine_paces):
        return
    yield MachinePaces(
        variant=case.variant,
        point=case.point,
        factors=list(case.machine_paces),
        sentence=f"With {case.label} the engines' steps took {_spoken(case.machine_paces)} times as long as "
        "by the profile, and the simulation had the same pace.",
    )


def _spoken(factors: Sequence[float | None]) -> str:
    return " and ".join("an unknown number of" if one is None else f"{one:.3g}" for one in factors)
