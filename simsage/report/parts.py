"""What the pages are made of: templates, styles, script and inlined figures."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from simsage import formats
from simsage.figures.catalogue import Drawn


def frame() -> dict[str, Any]:
    """What every page has: its style, and its script with the digest that lets it run."""
    script = asset("report.js")
    return {
        "style": Markup(asset("report.css")),  # noqa: S704
        "script": Markup(script),  # noqa: S704
        "script_hash": b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }


def templates() -> Environment:
    """The report's templates; what a user gave is escaped."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(asset),
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


def asset(name: str) -> str:
    """The text of a file beside this one."""
    return (files("simsage.report") / name).read_text(encoding="utf-8")


def inlined(drawn: Sequence[Drawn]) -> list[tuple[Drawn, Markup]]:
    """Each figure with its SVG as a part of the page."""
    return [(one, Markup(_inline(one.svg))) for one in drawn]  # noqa: S704


def _inline(svg: str) -> str:
    """The svg element alone, as wide as its place; its text stays as paths, so fonts play no part."""
    element = svg[svg.index("<svg") :]
    return re.sub(r'<svg ([^>]*?)height="[^"]*" ', r"<svg \1", element, count=1).replace(
        'width="', 'data-width="', 1
    )
