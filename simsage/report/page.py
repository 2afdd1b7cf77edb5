"""report.html: the run on one page that needs nothing else, neither files nor a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simcore.metrics import LATENCIES
from simsage.energy import WATTS
from simsage.environment import NEVER_VALIDATED
from simsage.figures.catalogue import Drawn
from simsage.metrics import ALL
from simsage.report.parts import frame, inlined, templates
from simsage.resources import grouped
from simsage.summary import Row, Summary


def page(summary: Summary, environment: Mapping[str, Any], resolved: str, drawn: Sequence[Drawn]) -> str:
    """The page's text. Everything a user gave is escaped; only figures and the page's own script are not."""
    totals = [row for row in summary.rows if row.stream == ALL]
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            summary=summary,
            environment=environment,
            resolved=resolved,
            figures=inlined(drawn),
            groups=grouped(summary.resources),
            totals=totals,
            outcomes=[name for name in totals[0].outcomes if any(row.outcomes[name] for row in totals)],
            streams=_by_stream(summary),
            latencies=LATENCIES,
            energy=any(WATTS in row.metrics for row in totals),
            validated=any(verdict != NEVER_VALIDATED for verdict in summary.validated.values()),
            **frame(),
        )
    )


def _by_stream(summary: Summary) -> list[Row]:
    """The rows of streams, variants below each other so that they are easily compared."""
    rows = [row for row in summary.rows if row.stream != ALL]
    places = {label: place for place, label in enumerate(dict.fromkeys(row.label for row in rows))}
    return sorted(rows, key=lambda row: (row.point or 0.0, places[row.label]))
