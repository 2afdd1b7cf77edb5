"""Figures: those that an experiment wants, drawn for print."""

from __future__ import annotations

from pathlib import Path

from simsage.figures.catalogue import DRAWN, Drawn
from simsage.figures.source import Source
from simsage.figures.style import save, save_pdf, styled
from simsage.paper.experiment import Experiment


def draw(experiment: Experiment, source: Source, folder: Path) -> list[Drawn]:
    """Write each as PDF, SVG and PNG; one that the run has nothing for is left out."""
    drawn = []
    for name in experiment.figures:
        module, file = DRAWN[name], f"{experiment.name}_{name}"
        with styled(file):
            figure = module.draw(source)
            if figure is None:
                continue
            svg = save(figure, folder, file)
            save_pdf(figure, folder, file)
        drawn.append(Drawn(file, module.caption(source), svg))
    return drawn
