"""All figures of a run, in the order of the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simsage.figures import (
    goodput_timeline,
    latency_cdf,
    latency_parts,
    request_timeline,
    resource_efficiency,
    scalability,
    throughput_latency,
)
from simsage.figures.source import Source
from simsage.figures.style import save, styled

DRAWN = {
    "latency_cdf": latency_cdf,
    "latency_parts": latency_parts,
    "goodput_timeline": goodput_timeline,
    "throughput_latency": throughput_latency,
    "scalability": scalability,
    "request_timeline": request_timeline,
    "resource_efficiency": resource_efficiency,
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One figure as the report shows it."""

    name: str
    caption: str
    svg: str


def draw_all(source: Source, folder: Path) -> list[Drawn]:
    """Draw what applies to the run into ``folder``."""
    folder.mkdir()
    drawn = (draw_one(module, source, folder, name) for name, module in DRAWN.items())
    return [one for one in drawn if one is not None]


def draw_one(module: Any, subject: Any, folder: Path, name: str) -> Drawn | None:
    """Draw the ``module``'s figure of the ``subject``, as NAME.svg and NAME.png; None where there is none."""
    with styled(name):
        figure = module.draw(subject)
        if figure is None:
            return None
        return Drawn(name, module.caption(subject), save(figure, folder, name))
