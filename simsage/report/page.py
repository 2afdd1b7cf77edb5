"""report.html: the run on one page that needs nothing else, neither files nor a network."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from simcore.metrics import LATENCIES
from simsage import formats
from simsage.environment import NEVER_VALIDATED
from simsage.figures.catalogue import Drawn
from simsage.metrics import ALL
from simsage.resources import grouped
from simsage.summary import Row, Summary


def page(summary: Summary, environment: Mapping[str, Any], resolved: str, drawn: Sequence[Drawn]) -> str:
    """The page's text. Everything a user gave is escaped; only figures and the page's own script are not."""
    script = _asset("report.js")
    totals = [row for row in summary.rows if row.stream == ALL]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            summary=summary,
            environment=environment,
            resolved=resolved,
            figures=[(one, Markup(_inline(one.svg))) for one in drawn],  # noqa: S704
            groups=grouped(summary.resources),
            totals=totals,
            outcomes=[name for name in totals[0].outcomes if any(row.outcomes[name] for row in totals)],
            streams=_by_stream(summary),
            latencies=LATENCIES,
            validated=any(verdict != NEVER_VALIDATED for verdict in summary.validated.values()),
            style=Markup(_asset("report.css")),  # noqa: S704
            script=Markup(script),  # noqa: S704
            script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def _by_stream(summary: Summary) -> list[Row]:
    """The rows of streams, variants below each other so that they are easily compared."""
    rows = [row for row in summary.rows if row.stream != ALL]
    places = {label: place for place, label in enumerate(dict.fromkeys(row.label for row in rows))}
    return sorted(rows, key=lambda row: (row.point or 0.0, places[row.label]))


def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(_asset),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": formats.plain,
        "percent": formats.percent,
        "estimate": formats.with_interval,
        "interval": formats.interval,
    }
    return environment


def _asset(name: str) -> str:
    return (files("simsage.report") / name).read_text(encoding="utf-8")


def _inline(svg: str) -> str:
    """The svg element alone, as wide as its place; its text stays as paths, so fonts play no part."""
    element = svg[svg.index("<svg") :]
    return re.sub(r'<svg ([^>]*?)height="[^"]*" ', r"<svg \1", element, count=1).replace(
        'width="', 'data-width="', 1
    )
