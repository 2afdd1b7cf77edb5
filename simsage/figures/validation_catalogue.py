"""All figures of a validation, case by case, in the order of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from simsage.figures import validation_cdf, validation_qq, validation_timeline
from simsage.figures.catalogue import Drawn, draw_one
from validate.compare.case import Case
from validate.compare.latencies import measure, samples_of


def draw_case(case: Case, number: int, folder: Path) -> list[Drawn]:
    """Draw what applies to the case into ``folder``; ``number`` tells its files from those of others."""
    return [drawn for drawn in _draw(case, number, folder) if drawn is not None]


def _draw(case: Case, number: int, folder: Path) -> Iterator[Drawn | None]:
    for samples in samples_of(measure(case)):
        of = f"{number}-{samples.stream}-{samples.metric}"
        yield draw_one(validation_cdf, samples, folder, f"cdf-{of}")
        yield draw_one(validation_qq, samples, folder, f"qq-{of}")
    yield draw_one(validation_timeline, case, folder, f"timeline-{number}")
