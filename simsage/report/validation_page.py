"""The validation's report.html: the verdict, the errors at a glance, then each case with its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from simcore.scenario.document import ScenarioDocument
from simsage.figures.catalogue import Drawn
from simsage.figures.validation_legs import LegRow, StepRow, leg_notes, leg_rows, step_rows
from simsage.figures.validation_table import (
    DistanceRow,
    ErrorRow,
    distance_rows,
    error_rows,
    overview_rows,
)
from simsage.formats import percent, plain, point_label
from simsage.report.parts import frame, inlined, templates
from validate.compare.case import Case
from validate.compare.distance import STATISTICS
from validate.compare.verdict import Comparison, Lag, Verdict


@dataclass(frozen=True, slots=True)
class Section:
    """One case as the page shows it; ``standing`` is how many figures passed, in words."""

    title: str
    standing: str
    errors: list[ErrorRow]
    distances: list[DistanceRow]
    legs: list[LegRow]
    steps: list[StepRow]
    notes: list[str]
    figures: list[tuple[Drawn, Markup]]


def validation_page(
    document: ScenarioDocument,
    verdict: Verdict,
    cases: Sequence[tuple[Case, Sequence[Drawn]]],
    faults: Mapping[str, int],
    environment: Mapping[str, Any],
    resolved: str,
) -> str:
    """The page's text: the ``cases`` with their figures, and how many requests met each of the ``faults``.

    Everything a user or a server gave is escaped; only figures and the page's own script are not.
    """
    return (
        templates()
        .get_template("validation.html.j2")
        .render(
            verdict=verdict,
            title=document.title or document.name,
            statistics=STATISTICS,
            overview=list(overview_rows(verdict.comparisons)),
            sections=[_section(verdict, case, drawn) for case, drawn in cases],
            faults=faults,
            environment=environment,
            resolved=resolved,
            **frame(),
        )
    )


def _section(verdict: Verdict, case: Case, drawn: Sequence[Drawn]) -> Section:
    place = (case.variant, case.point)
    comparisons = [one for one in verdict.comparisons if (one.variant, one.point) == place]
    legs = [one for one in verdict.legs if (one.variant, one.point) == place]
    return Section(
        title=case.variant + (f" at {point_label(case.point)}" if case.point is not None else ""),
        standing=_standing(comparisons),
        errors=list(error_rows(comparisons)),
        distances=list(distance_rows(comparisons)),
        legs=list(leg_rows(legs)),
        steps=list(step_rows(one for one in verdict.steps if (one.variant, one.point) == place)),
        notes=[
            *leg_notes(legs),
            *(one.sentence for one in verdict.completions if (one.variant, one.point) == place),
            *(one.sentence for one in verdict.throughputs if (one.variant, one.point) == place),
            *(one.sentence for one in verdict.steps if (one.variant, one.point) == place),
            *(one.sentence for one in verdict.machine_paces if (one.variant, one.point) == place),
            *(
                f"The replayer's lag was {plain(one.p99_ms)} ms at the 99th percentile{_took(one)}."
                for one in verdict.lags
                if (one.variant, one.point) == place
            ),
        ],
        figures=inlined(drawn),
    )


def _took(lag: Lag) -> str:
    """``, gateway took 3% of a core``."""
    return "".join(f", {who} took {percent(share)} of a core" for who, share in lag.cores.items())


def _standing(comparisons: Sequence[Comparison]) -> str:
    states = Counter(figure.state for one in comparisons for figure in one.figures)
    return ", ".join(f"{count} {state}" for state, count in states.items()) or "nothing to compare"
