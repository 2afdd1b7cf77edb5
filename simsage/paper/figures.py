"""Figures: those that an experiment wants, drawn for print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simsage.figures.catalogue import DRAWN, Drawn
from simsage.figures.style import save, save_pdf, styled
from simsage.paper import regime_map
from simsage.paper.facts import Facts

OWN = {"regime_map": regime_map}
"""Those of the paper alone, drawn from the facts."""


def draw(facts: Facts, folder: Path) -> list[Drawn]:
    """Write each as PDF, SVG and PNG; one that the run has nothing for is left out."""
    drawn = []
    for name in facts.experiment.figures:
        module: Any = OWN.get(name) or DRAWN[name]
        subject = facts if name in OWN else facts.source_of_figures
        file = f"{facts.experiment.name}_{name}"
        with styled(file):
            figure = module.draw(subject)
            if figure is None:
                continue
            svg = save(figure, folder, file)
            save_pdf(figure, folder, file)
        drawn.append(Drawn(file, module.caption(subject), svg))
    return drawn
